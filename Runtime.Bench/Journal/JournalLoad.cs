using System.Diagnostics;
using Akka.Actor;

namespace Runtime.Bench.Journal;

/// <summary>What each benchmark does to a target, in one file.</summary>
internal sealed class JournalLoad(IJournalTarget target, string path)
{
    private const int EventsPerActor = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Each writer writes its events one by one. Answers the time of each event in ms.</summary>
    public async Task<double[]> WriteAsync(int writers, int each, JournalSamples? samples, CancellationToken cancellation)
    {
        await using var system = target.Start(path);
        var actors = Enumerable.Range(0, writers)
            .Select(i => system.Actors.ActorOf(BenchWriter.Props($"bench/{writers}/{i}"))).ToArray();
        await AskAll(actors, new BenchWriter.Write(10), cancellation); // opens connections and makes the tables
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        var times = await AskAll(actors, new BenchWriter.Write(each), cancellation);
        var seconds = clock.Elapsed.TotalSeconds;
        samples?.Throughput.Add(writers * each / seconds);
        samples?.ProcessorUs.Add((Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMicroseconds / (writers * each));
        return times;
    }

    public async Task FillAsync(int count, CancellationToken cancellation)
    {
        await using var system = target.Start(path);
        var actors = Actors(system, count);
        foreach (var some in actors.Chunk(50)) await AskAll(some, new BenchWriter.Write(EventsPerActor), cancellation);
    }

    /// <summary>Seconds from the start of a system until the last of its actors has recovered.</summary>
    public async Task<double> RecoverAsync(int count, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        await using var system = target.Start(path);
        var recovered = await Task.WhenAll(Actors(system, count)
            .Select(actor => actor.Ask<int>(BenchWriter.Recovered.Instance, Patience, cancellation)));
        var seconds = clock.Elapsed.TotalSeconds;
        return recovered.All(events => events == EventsPerActor)
            ? seconds
            : throw new InvalidOperationException($"{target.Name}: an actor recovered {recovered.Min()} events.");
    }

    private static IActorRef[] Actors(JournalSystem system, int count) =>
        [.. Enumerable.Range(0, count).Select(i => system.Actors.ActorOf(BenchWriter.Props($"bench/recovery/{i}")))];

    private static async Task<double[]> AskAll(IActorRef[] actors, BenchWriter.Write write, CancellationToken cancellation) =>
        [.. (await Task.WhenAll(actors.Select(actor => actor.Ask<double[]>(write, Patience, cancellation)))).SelectMany(times => times)];
}
