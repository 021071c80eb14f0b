using System.Collections.Immutable;
using Runtime.Actors.Shims;
using Xunit;

namespace Runtime.Tests.Unit.Shims;

public sealed class RuntimeHandlersTests
{
    /// <summary>NAME, + for systemd; TYPE where it is not ours.</summary>
    [Theory]
    [InlineData("runc", new[] { "runc" }, false)]
    [InlineData("runc", new[] { "runc+" }, true)]
    [InlineData("runc", new[] { "a+", "runc" }, false)]
    [InlineData("runc", new[] { "a", "runc+", "z" }, true)]
    [InlineData("kata", new[] { "kata+ io.containerd.kata.v2", "b+", "c" }, true)]
    [InlineData("kata", new[] { "kata io.containerd.kata.v2", "b", "c+" }, false)]
    [InlineData("kata", new[] { "kata+ io.containerd.kata.v2" }, false)]
    public void The_cgroup_driver_is_the_first_that_is_said_from_the_default_on(string fallback, string[] handlers, bool systemd)
    {
        var configured = handlers.Select(handler => handler.Split(' ')).Select(parts => new RuntimeHandler
        {
            Name = parts[0].TrimEnd('+'),
            RuntimeType = parts.ElementAtOrDefault(1) ?? "io.containerd.runc.v2",
            Options = new RuncOptions { SystemdCgroup = parts[0].EndsWith('+') },
        });

        Assert.Equal(systemd, new RuntimeHandlers(fallback, configured.ToImmutableSortedDictionary(one => one.Name, one => one)).SystemdCgroup);
    }
}
