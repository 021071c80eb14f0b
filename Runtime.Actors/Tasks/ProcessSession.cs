using System.Net.Sockets;

namespace Runtime.Actors.Tasks;

/// <summary>Connections to a shim that are the streams of a process.</summary>
internal abstract class ProcessSession : IProcessSession
{
    private readonly TaskOptions _options;
    private readonly SessionOutput? _stdout;
    private readonly SessionOutput? _stderr;
    private readonly Stream? _stdin;
    private readonly ITimer _unclaimed;
    private int _isDisposed;

    protected ProcessSession(SessionSockets sockets, TaskOptions options, TimeProvider clock)
    {
        _options = options;
        _stdin = sockets.Stdin is { } stdin ? new NetworkStream(stdin, FileAccess.Write, ownsSocket: true) : null;
        _stdout = sockets.Stdout is { } stdout ? new SessionOutput(stdout, clock) : null;
        _stderr = sockets.Stderr is { } stderr ? new SessionOutput(stderr, clock) : null;
        _unclaimed = clock.CreateTimer(_ => _ = DisposeAsync().AsTask(), null, options.SessionClaimTimeout, Timeout.InfiniteTimeSpan);
    }

    public Stream? Stdin => Claimed(_stdin);

    public Stream? Stdout => Claimed(_stdout);

    public Stream? Stderr => Claimed(_stderr);

    public Task ResizeAsync(uint width, uint height, CancellationToken cancellation)
    {
        _unclaimed.Dispose();
        return ResizeTerminalAsync(width, height, cancellation);
    }

    public Task<int> WaitAsync(CancellationToken cancellation)
    {
        _unclaimed.Dispose();
        return ExitAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1) return;
        await _unclaimed.DisposeAsync();
        if (_stdin is not null) await _stdin.DisposeAsync();
        _stdout?.Disconnect();
        _stderr?.Disconnect();
        await ForgetAsync();
    }

    protected abstract Task ResizeTerminalAsync(uint width, uint height, CancellationToken cancellation);

    protected abstract Task<int> ExitAsync(CancellationToken cancellation);

    /// <summary>The streams are closed.</summary>
    protected virtual Task ForgetAsync() => Task.CompletedTask;

    protected Task OutputEndedAsync(TimeSpan silence, CancellationToken cancellation) => Task.WhenAll(
        _stdout?.EndAsync(silence, cancellation) ?? Task.CompletedTask,
        _stderr?.EndAsync(silence, cancellation) ?? Task.CompletedTask);

    protected TaskOptions Options => _options;

    protected bool HasOutput => _stdout is not null || _stderr is not null;

    private Stream? Claimed(Stream? stream)
    {
        _unclaimed.Dispose();
        return stream;
    }
}

/// <summary>Connections of a session that is being made; null for none.</summary>
internal sealed record SessionSockets(Socket? Stdin, Socket? Stdout, Socket? Stderr) : IDisposable
{
    public void Dispose()
    {
        Stdin?.Dispose();
        Stdout?.Dispose();
        Stderr?.Dispose();
    }
}
