using System.CommandLine;
using Runtime.Actors.Journal;

namespace Runtime.Bench.Journal;

/// <summary>
/// <c>journal</c>: our plugin and Akka.Persistence.Sql, both on Microsoft.Data.Sqlite in WAL mode with the same
/// synchronous level, in alternating rounds of one run. Each round has a new file.
/// </summary>
internal static class JournalBenchmark
{
    private static readonly Option<int> Rounds = new("--rounds") { DefaultValueFactory = _ => 3 };
    private static readonly Option<int> Events = new("--events") { Description = "Events of the single writer, one by one.", DefaultValueFactory = _ => 2000 };
    private static readonly Option<int> Writers = new("--writers") { Description = "Actors that write at once.", DefaultValueFactory = _ => 10 };
    private static readonly Option<int> Each = new("--each") { Description = "Events of each of them, one by one.", DefaultValueFactory = _ => 5000 };
    private static readonly Option<int> Actors = new("--actors") { Description = "Actors that recover, with 10 events each.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<JournalSynchronous> Synchronous = new("--synchronous") { DefaultValueFactory = _ => JournalSynchronous.Normal };
    private static readonly Option<string> Directory = new("--directory") { Description = "Where the files go: the disk decides with --synchronous Full.", DefaultValueFactory = _ => Path.GetTempPath() };

    public static Command Create()
    {
        var command = new Command("journal", "Latency, throughput and recovery of the journal, beside Akka.Persistence.Sql.")
        {
            Rounds, Events, Writers, Each, Actors, Synchronous, Directory,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        IJournalTarget[] targets = [new ActordTarget(parsed.GetValue(Synchronous)), new SqlTarget(parsed.GetValue(Synchronous))];
        var samples = targets.ToDictionary(target => target.Name, _ => new JournalSamples());
        // The first round of each warms the JIT and is not counted.
        for (var round = -1; round < parsed.GetValue(Rounds); round++)
        {
            foreach (var target in round % 2 == 0 ? targets : targets.Reverse())
            {
                var place = System.IO.Directory.CreateDirectory(
                    Path.Combine(parsed.GetRequiredValue(Directory), $"actord-bench-{Guid.NewGuid():N}"));
                try
                {
                    await RoundAsync(target, place.FullName, parsed, round < 0 ? new JournalSamples() : samples[target.Name], cancellation);
                }
                finally
                {
                    place.Delete(recursive: true);
                }
            }
        }
        Print(targets, samples, parsed);
        return 0;
    }

    private static async Task RoundAsync(
        IJournalTarget target, string place, ParseResult parsed, JournalSamples samples, CancellationToken cancellation)
    {
        var load = new JournalLoad(target, Path.Combine(place, "journal.db"));
        samples.OneMs.AddRange(await load.WriteAsync(1, parsed.GetValue(Events), samples: null, cancellation));
        samples.ManyMs.AddRange(await load.WriteAsync(parsed.GetValue(Writers), parsed.GetValue(Each), samples, cancellation));
        await load.FillAsync(parsed.GetValue(Actors), cancellation);
        samples.RecoverySeconds.Add(await load.RecoverAsync(parsed.GetValue(Actors), cancellation));
    }

    private static void Print(IJournalTarget[] targets, Dictionary<string, JournalSamples> samples, ParseResult parsed)
    {
        Console.WriteLine($"synchronous={parsed.GetValue(Synchronous)}, {parsed.GetValue(Rounds)} rounds, {Environment.ProcessorCount} cores");
        Statistics.PrintTable([.. targets.Select(target => target.Name)],
        [
            Row("one writer, persist p50", "ms", one => Statistics.Percentile(one.OneMs, 50)),
            Row("one writer, persist p99", "ms", one => Statistics.Percentile(one.OneMs, 99)),
            Row($"{parsed.GetValue(Writers)} writers, throughput (median)", "events/s", one => Statistics.Percentile(one.Throughput, 50)),
            Row($"{parsed.GetValue(Writers)} writers, persist p50", "ms", one => Statistics.Percentile(one.ManyMs, 50)),
            Row($"{parsed.GetValue(Writers)} writers, persist p99", "ms", one => Statistics.Percentile(one.ManyMs, 99)),
            Row($"{parsed.GetValue(Writers)} writers, processor time per event", "us", one => Statistics.Percentile(one.ProcessorUs, 50)),
            Row($"recovery of {parsed.GetValue(Actors)} actors x 10 events (median)", "s", one => Statistics.Percentile(one.RecoverySeconds, 50)),
        ]);

        (string, string, double[]) Row(string title, string unit, Func<JournalSamples, double> figure) =>
            (title, unit, [.. targets.Select(target => figure(samples[target.Name]))]);
    }
}

/// <summary>What the counted rounds of one target measured.</summary>
internal sealed class JournalSamples
{
    public List<double> OneMs { get; } = [];

    public List<double> ManyMs { get; } = [];

    public List<double> Throughput { get; } = [];

    public List<double> ProcessorUs { get; } = [];

    public List<double> RecoverySeconds { get; } = [];
}
