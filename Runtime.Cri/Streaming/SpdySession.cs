using System.Globalization;
using Runtime.Faults;

namespace Runtime.Cri.Streaming;

/// <summary>Serves what a ticket stands for on a SPDY connection.</summary>
internal static class SpdySession
{
    /// <summary>As the field's servers wait for the streams that a client has to open.</summary>
    private static readonly TimeSpan StreamsMax = TimeSpan.FromSeconds(30);

    /// <summary>For a client to take what is on its way and close the connection.</summary>
    private static readonly TimeSpan CloseMax = TimeSpan.FromSeconds(10);

    /// <param name="gone">Ends it.</param>
    public static async Task RunAsync(
        StreamTicket ticket, RemoteProtocol protocol, Stream transport, IdleWatch idle, TimeProvider clock, CancellationToken gone)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(gone);
        ISpdyWork work = ticket switch
        {
            CommandTicket command => new SpdyCommand(command, protocol, clock),
            ForwardTicket forward => new SpdyForwards(forward, clock),
            _ => throw new FaultException(FaultKind.Internal, "streaming.unknown-ticket", $"{ticket.GetType().Name} has no session."),
        };
        using var connection = new SpdyConnection(transport, idle, stream => work.Accept(stream, over.Token));
        var reading = ReadAsync(connection, over);
        try
        {
            await work.RunAsync(over.Token);
            await connection.GoAwayAsync(over.Token);
            // Closed with unread bytes in it, a socket would take back what the client has not read yet.
            await reading.WaitAsync(CloseMax, clock, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The client has gone, which is how a port-forward ends.
        }
        finally
        {
            await over.CancelAsync();
            await work.EndAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        // A client that spoke nonsense is why it ended.
        if (reading.IsFaulted) await reading;
    }

    // With the connection, all that runs on it ends.
    private static async Task ReadAsync(SpdyConnection connection, CancellationTokenSource over)
    {
        try
        {
            await connection.ReadAsync(over.Token);
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    /// <summary>What a connection is for.</summary>
    private interface ISpdyWork
    {
        Action? Accept(SpdyStream stream, CancellationToken gone);

        /// <summary>Until it is done.</summary>
        Task RunAsync(CancellationToken gone);

        /// <summary>Until nothing of it runs any more.</summary>
        Task EndAsync();
    }

    /// <summary>Collects the streams of an exec or attach, by their header <c>streamtype</c>.</summary>
    private sealed class SpdyCommand(CommandTicket ticket, RemoteProtocol protocol, TimeProvider clock) : ISpdyWork
    {
        private static readonly string[] Types = ["error", "stdin", "stdout", "stderr", "resize"];

        private readonly SpdyStream?[] _streams = new SpdyStream?[Types.Length];
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<ClientStream> _resize = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _missing = 1 + Count(ticket.Stdin) + Count(ticket.Stdout) + Count(ticket.Stderr);
        private int _possible = 1 + Count(ticket.Stdin) + Count(ticket.Stdout) + Count(ticket.Stderr) + Count(ticket.Terminal);

        public Action? Accept(SpdyStream stream, CancellationToken gone)
        {
            var type = Array.IndexOf(Types, stream.Headers.GetValueOrDefault("streamtype", "").ToLowerInvariant());
            bool[] wanted = [true, ticket.Stdin, ticket.Stdout, ticket.Stderr, ticket.Terminal];
            if (type < 0 || !wanted[type] || _streams[type] is not null) return null;
            _streams[type] = stream;
            return () => Opened(stream);
        }

        public async Task RunAsync(CancellationToken gone)
        {
            try
            {
                await _complete.Task.WaitAsync(StreamsMax, clock, gone);
            }
            catch (TimeoutException)
            {
                // Nobody to tell: the error stream may be the one that is missing.
                return;
            }
            var streams = new CommandStreams(
                Of("error")!, Of("stdin"), Of("stdout"), Of("stderr"), ticket.Terminal ? _resize.Task : null);
            await new RemoteCommand(ticket, protocol, streams).RunAsync(gone);
        }

        public Task EndAsync() => Task.CompletedTask;

        private SpdyStream? Of(string type) => _streams[Array.IndexOf(Types, type)];

        private void Opened(SpdyStream stream)
        {
            stream.ForgetHeaders();
            if (--_possible == 0) stream.IsLast();
            if (stream == Of("resize")) _resize.TrySetResult(stream);
            else if (--_missing == 0) _complete.TrySetResult();
        }

        private static int Count(bool wanted) => wanted ? 1 : 0;
    }

    /// <summary>Pairs the streams of a port-forward, and serves each pair on its own.</summary>
    private sealed class SpdyForwards(ForwardTicket ticket, TimeProvider clock) : ISpdyWork
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<string, Pair> _waiting = new(StringComparer.Ordinal);
        private readonly HashSet<Task> _running = [];
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        private sealed record Pair(SpdyStream First, ITimer GiveUp);

        public Action? Accept(SpdyStream stream, CancellationToken gone) =>
            IsData(stream) is not null && PortOf(stream) is { } port ? () => Opened(stream, port, gone) : null;

        public Task RunAsync(CancellationToken gone) => _failed.Task.WaitAsync(gone);

        public async Task EndAsync()
        {
            Task[] running;
            lock (_lock)
            {
                foreach (var pair in _waiting.Values) pair.GiveUp.Dispose();
                _waiting.Clear();
                running = [.. _running];
            }
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private void Opened(SpdyStream stream, int port, CancellationToken gone)
        {
            var id = RequestOf(stream);
            SpdyStream other;
            lock (_lock)
            {
                if (!_waiting.Remove(id, out var pair))
                {
                    _waiting.Add(id, new Pair(stream, clock.CreateTimer(_ => GiveUp(id, gone), null, StreamsMax, Timeout.InfiniteTimeSpan)));
                    return;
                }
                pair.GiveUp.Dispose();
                other = pair.First;
            }
            // Twice the same kind: neither has a partner.
            if (IsData(stream) == IsData(other)) Track(RejectAsync(stream, other, gone));
            else if (IsData(stream) == true) Track(PortForward.RunAsync(ticket, port, stream, other, gone));
            else Track(PortForward.RunAsync(ticket, port, other, stream, gone));
        }

        private void GiveUp(string id, CancellationToken gone)
        {
            Pair? pair;
            lock (_lock)
                if (!_waiting.Remove(id, out pair)) return;
            pair.GiveUp.Dispose();
            Track(pair.First.ResetAsync(gone).AsTask());
        }

        private static async Task RejectAsync(SpdyStream one, SpdyStream two, CancellationToken gone)
        {
            await one.ResetAsync(gone);
            await two.ResetAsync(gone);
        }

        private void Track(Task task)
        {
            var guarded = GuardAsync(task);
            lock (_lock)
                if (!guarded.IsCompleted) _running.Add(guarded);
            guarded.ContinueWith(done =>
            {
                lock (_lock) _running.Remove(done);
            }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        // The connection's end is told by its reader. Whatever else fails is a defect, and ends the connection.
        private async Task GuardAsync(Task task)
        {
            try
            {
                await task;
            }
            catch (Exception end) when (end is IOException or OperationCanceledException)
            {
            }
            catch (Exception defect)
            {
                _failed.TrySetException(defect);
                throw;
            }
        }

        private static bool? IsData(SpdyStream stream) => stream.Headers.GetValueOrDefault("streamtype") switch
        {
            "data" => true,
            "error" => false,
            _ => null,
        };

        private static int? PortOf(SpdyStream stream) =>
            ushort.TryParse(stream.Headers.GetValueOrDefault("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port > 0 ? port : null;

        // Old clients send no id: they open the data stream right behind the error stream.
        private static string RequestOf(SpdyStream stream) => stream.Headers.GetValueOrDefault("requestid")
            ?? $"stream {(IsData(stream) == true ? stream.Id - 2 : stream.Id)}";
    }
}
