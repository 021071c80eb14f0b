using System.Collections.Concurrent;
using Akka.Event;
using Runtime.Actors.Tasks;

namespace Runtime.Actors.Shims;

/// <summary>
/// Where shims other than ours write their logs: a FIFO <c>log</c> in the bundle, which has to be there when they start, and which
/// the daemon reads for as long as they live. Their lines go to its own log.
/// </summary>
internal sealed class ShimLogs(ILoggingAdapter log) : IDisposable
{
    private const string FileName = "log";

    /// <summary>A longer line is cut: a shim is not trusted.</summary>
    private const int LineCharsMax = 4096;

    private readonly ConcurrentDictionary<string, Lazy<OutputPipe>> _pipes = new();

    /// <summary>Idempotent.</summary>
    public void Follow(string bundle) => _ = _pipes.GetOrAdd(bundle, static (bundle, logs) => new(() => logs.Open(bundle)), this).Value;

    /// <summary>Idempotent.</summary>
    public void Forget(string bundle)
    {
        if (_pipes.TryRemove(bundle, out var pipe)) pipe.Value.Dispose();
    }

    public void Dispose()
    {
        foreach (var bundle in _pipes.Keys) Forget(bundle);
    }

    private OutputPipe Open(string bundle)
    {
        var path = Path.Combine(bundle, FileName);
        var pipe = new OutputPipe(path);
        _ = ReadAsync(Path.GetFileName(bundle), pipe.Stream);
        return pipe;
    }

    private async Task ReadAsync(string id, Stream stream)
    {
        using var reader = new StreamReader(stream);
        try
        {
            while (await reader.ReadLineAsync() is { } line)
                log.Debug("Shim of {Id}: {Line}", id, line.Length > LineCharsMax ? line[..LineCharsMax] : line);
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Forgotten, or the daemon stops.
        }
    }
}
