using System.CommandLine;
using Runtime.Bench.Cri;
using Runtime.Bench.Journal;

// Each benchmark compares its targets in alternating rounds of one run: what else the machine does hits all alike.
var root = new RootCommand("Benchmarks of actord, side by side with what others use.")
{
    JournalBenchmark.Create(),
    PodBenchmark.Create(),
    PullBenchmark.Create(),
    PullBenchmark.CreateFetch(),
};
return await root.Parse(args).InvokeAsync();
