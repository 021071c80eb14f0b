using System.CommandLine;
using System.Diagnostics;
using Runtime.Cri.V1;

namespace Runtime.Bench.Cri;

/// <summary><c>pull</c>: pull and unpack of one image, removed between rounds, for two or more CRI sockets in alternating rounds.</summary>
internal static class PullBenchmark
{
    private static readonly Option<string[]> Targets = new("--target") { Description = "NAME=SOCKET", Required = true, AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string> Image = new("--image") { Description = "A reference that every target can reach.", Required = true };
    private static readonly Option<int> Rounds = new("--rounds") { DefaultValueFactory = _ => 5 };

    public static Command Create()
    {
        var command = new Command("pull", "Pull and unpack of an image, side by side.") { Targets, Image, Rounds };
        command.SetAction(RunAsync);
        return command;
    }

    /// <summary><c>fetch</c>: only pulls an image, for the other benchmarks.</summary>
    public static Command CreateFetch()
    {
        var command = new Command("fetch", "Pulls an image and measures nothing.") { Targets, Image };
        command.SetAction(async (parsed, cancellation) =>
        {
            foreach (var parts in parsed.GetRequiredValue(Targets).Select(text => text.Split('=', 2)))
            {
                using var target = new CriTarget(parts[0], parts[1]);
                var image = new ImageSpec { Image = parsed.GetRequiredValue(Image) };
                await target.Images.PullImageAsync(new PullImageRequest { Image = image }, cancellationToken: cancellation);
            }
            return 0;
        });
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var targets = parsed.GetRequiredValue(Targets)
            .Select(text => text.Split('=', 2)).Select(parts => new CriTarget(parts[0], parts[1])).ToArray();
        var times = targets.ToDictionary(target => target.Name, _ => new List<double>());
        var image = new ImageSpec { Image = parsed.GetRequiredValue(Image) };
        try
        {
            for (var round = 0; round < parsed.GetValue(Rounds); round++)
            {
                foreach (var target in round % 2 == 0 ? targets : targets.Reverse())
                {
                    var clock = Stopwatch.StartNew();
                    var pulled = await target.Images.PullImageAsync(new PullImageRequest { Image = image }, cancellationToken: cancellation);
                    times[target.Name].Add(clock.Elapsed.TotalSeconds);
                    await target.Images.RemoveImageAsync(
                        new RemoveImageRequest { Image = new ImageSpec { Image = pulled.ImageRef } }, cancellationToken: cancellation);
                }
            }
            Statistics.PrintTable(
                [.. targets.Select(target => target.Name)],
                [
                    ("pull p50", "s", [.. targets.Select(target => Statistics.Percentile(times[target.Name], 50))]),
                    ("pull slowest", "s", [.. targets.Select(target => times[target.Name].Max())]),
                ]);
            return 0;
        }
        finally
        {
            foreach (var target in targets) target.Dispose();
        }
    }
}
