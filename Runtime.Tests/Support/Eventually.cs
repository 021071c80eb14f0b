using System.Diagnostics;
using Xunit;

namespace Runtime.Tests.Support;

/// <summary>Waits for a condition that another process or thread brings about.</summary>
public static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    public static Task True(Func<bool> condition, TimeSpan limit, Func<string> otherwise) =>
        AsyncTrue(() => Task.FromResult(condition()), limit, otherwise);

    public static async Task AsyncTrue(Func<Task<bool>> condition, TimeSpan limit, Func<string> otherwise)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > limit) Assert.Fail(otherwise());
            await Task.Delay(Interval);
        }
    }
}
