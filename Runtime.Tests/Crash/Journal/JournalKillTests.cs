using System.Diagnostics;
using Runtime.Actors.Journal;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Journal;
using Xunit;

namespace Runtime.Tests.Crash.Journal;

/// <summary>kill -9 of a process that writes: what it acknowledged is there, and no batch is half there.</summary>
public sealed class JournalKillTests
{
    private const string Place = "ACTORD_TEST_JOURNAL";
    private const int Writers = 4;
    private const int BatchSize = 3;

    [Theory]
    [InlineData(50)]
    [InlineData(500)]
    [InlineData(3000)]
    public async Task Everything_that_was_acknowledged_survives_the_kill(int acknowledgements)
    {
        await using var journal = new TestJournal();
        using var child = StartWriter(journal.Directory);
        await AwaitLinesAsync(Path.Combine(journal.Directory, "acknowledged"), acknowledgements, child);
        child.Kill();
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        var acknowledged = new Dictionary<string, long>();
        foreach (var line in WholeLines(Path.Combine(journal.Directory, "acknowledged")))
        {
            var parts = line.Split(' ');
            acknowledged[parts[0]] = long.Parse(parts[1]);
        }
        Assert.NotEmpty(acknowledged);
        using var store = JournalStore.Open(journal.Options with { Check = JournalCheck.Full });
        foreach (var (persistenceId, last) in acknowledged)
        {
            var found = await store.Sequences(persistenceId);
            Assert.Equal(Enumerable.Range(1, found.Count).Select(n => (long)n), found);
            Assert.True(found.Count >= last, $"{persistenceId}: {last} was acknowledged, {found.Count} is there");
            Assert.Equal(0, found.Count % BatchSize);
            Assert.Equal(found.Count, await store.Highest(persistenceId));
        }
    }

    /// <summary>The child: writes until it is killed, and tells what was acknowledged after it was.</summary>
    [Fact(Explicit = true)]
    public async Task Writes_until_it_is_killed()
    {
        var place = Environment.GetEnvironmentVariable(Place);
        Assert.SkipWhen(place is null, "Started by the test above only.");
        using var store = JournalStore.Open(new JournalOptions(Path.Combine(place, "journal.db")));
        using var log = new FileStream(
            Path.Combine(place, "acknowledged"), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var persistenceId = $"note/test/{writer}";
            for (var sequence = 1L; ; sequence += BatchSize)
            {
                await store.Append(persistenceId, sequence, sequence + 1, sequence + 2);
                var line = System.Text.Encoding.ASCII.GetBytes($"{persistenceId} {sequence + 2}\n");
                lock (log) log.Write(line);
            }
        })));
    }

    private static Process StartWriter(string directory)
    {
        // Beside the tests' assembly: run by `dotnet test`, this process is the test host, not the tests' own program.
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Runtime.Tests"))
        {
            RedirectStandardOutput = true,
            Environment = { [Place] = directory },
        };
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(JournalKillTests).FullName}.{nameof(Writes_until_it_is_killed)}");
        start.ArgumentList.Add("-explicit");
        start.ArgumentList.Add("only");
        return Process.Start(start)!;
    }

    private static async Task AwaitLinesAsync(string path, int count, Process child)
    {
        while (!File.Exists(path) || WholeLines(path).Length < count)
        {
            Assert.False(child.HasExited, "The writer ended by itself.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private static string[] WholeLines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        var text = reader.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
