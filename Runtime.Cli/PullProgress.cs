using Actord.V1;
using Grpc.Core;
using Spectre.Console;

namespace Runtime.Cli;

/// <summary>Shows a pull: a bar for each blob on a terminal, a line for each change elsewhere.</summary>
internal static class PullProgress
{
    /// <summary>Waits for the result without a word.</summary>
    public static async Task<Image> WaitAsync(IAsyncStreamReader<PullResponse> stream, CancellationToken cancellation)
    {
        Image? image = null;
        await foreach (var state in stream.ReadAllAsync(cancellation)) image = state.Image ?? image;
        return image ?? throw new CommandException("the daemon ended the pull without a result");
    }

    public static Task<Image> ShowAsync(IAsyncStreamReader<PullResponse> stream, CancellationToken cancellation) =>
        Console.IsErrorRedirected || Console.IsOutputRedirected ? LinesAsync(stream, cancellation) : BarsAsync(stream, cancellation);

    private static Task<Image> BarsAsync(IAsyncStreamReader<PullResponse> stream, CancellationToken cancellation) =>
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn())
            .StartAsync(async progress =>
            {
                var bars = new Dictionary<string, ProgressTask>();
                Image? image = null;
                await foreach (var state in stream.ReadAllAsync(cancellation))
                {
                    image = state.Image ?? image;
                    foreach (var blob in state.Blobs) Update(progress, bars, blob);
                }
                return image ?? throw new CommandException("the daemon ended the pull without a result");
            });

    private static void Update(ProgressContext progress, Dictionary<string, ProgressTask> bars, BlobProgress blob)
    {
        if (!bars.TryGetValue(blob.Digest, out var bar))
            bars[blob.Digest] = bar = progress.AddTask(blob.Digest, maxValue: Math.Max(1, blob.Total));
        bar.Description = $"{Output.ShortId(blob.Digest)} {blob.Status,-12}";
        if (blob.Total > 0) bar.MaxValue = blob.Total;
        bar.Value = blob.Status is "done" or "exists" ? bar.MaxValue : blob.Offset;
    }

    private static async Task<Image> LinesAsync(IAsyncStreamReader<PullResponse> stream, CancellationToken cancellation)
    {
        var seen = new Dictionary<string, string>();
        Image? image = null;
        await foreach (var state in stream.ReadAllAsync(cancellation))
        {
            image = state.Image ?? image;
            foreach (var blob in state.Blobs)
            {
                if (seen.GetValueOrDefault(blob.Digest) == blob.Status) continue;
                seen[blob.Digest] = blob.Status;
                Console.Error.WriteLine($"{Output.ShortId(blob.Digest)} {blob.Status}");
            }
        }
        return image ?? throw new CommandException("the daemon ended the pull without a result");
    }
}
