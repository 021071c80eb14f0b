using System.Collections.Concurrent;
using System.IO.Pipelines;
using Runtime.Actors.Tasks;

namespace Runtime.Tests.Unit.Streaming;

/// <summary>A process that does what the test says, at the other end of its streams.</summary>
internal sealed class FakeSession : IProcessSession
{
    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Small buffers, as a pipe has.
    private readonly Pipe _stdin = Pipe();
    private readonly Pipe _stdout = Pipe();
    private readonly Pipe _stderr = Pipe();

    private readonly List<Task> _outputsRead = [];

    public FakeSession(bool stdin = true, bool stdout = true, bool stderr = true)
    {
        Stdin = stdin ? _stdin.Writer.AsStream() : null;
        Stdout = stdout ? Output(_stdout) : null;
        Stderr = stderr ? Output(_stderr) : null;
    }

    public Stream? Stdin { get; }

    public Stream? Stdout { get; }

    public Stream? Stderr { get; }

    /// <summary>The process' side.</summary>
    public Stream ProcessStdin => _stdin.Reader.AsStream();

    public Stream ProcessStdout => _stdout.Writer.AsStream();

    public Stream ProcessStderr => _stderr.Writer.AsStream();

    public ConcurrentQueue<(uint Width, uint Height)> Sizes { get; } = new();

    /// <summary>Completes when the session is disposed of.</summary>
    public Task Disposed => _disposed.Task;

    public void Exit(int code)
    {
        _stdout.Writer.Complete();
        _stderr.Writer.Complete();
        _exit.TrySetResult(code);
    }

    public void Fail(Exception cause)
    {
        _stdout.Writer.Complete();
        _stderr.Writer.Complete();
        _exit.TrySetException(cause);
    }

    public Task ResizeAsync(uint width, uint height, CancellationToken cancellation)
    {
        Sizes.Enqueue((width, height));
        return Task.CompletedTask;
    }

    public async Task<int> WaitAsync(CancellationToken cancellation)
    {
        await Task.WhenAll(_outputsRead).WaitAsync(cancellation);
        return await _exit.Task.WaitAsync(cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _disposed.TrySetResult();
        return ValueTask.CompletedTask;
    }

    private OutputStream Output(Pipe pipe)
    {
        var output = new OutputStream(pipe.Reader.AsStream());
        _outputsRead.Add(output.Ended);
        return output;
    }

    private static Pipe Pipe() => new(new PipeOptions(pauseWriterThreshold: 65536, resumeWriterThreshold: 32768));

    /// <summary>Knows when it has been read to its end.</summary>
    private sealed class OutputStream(Stream pipe) : Stream
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ended => _ended.Task;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await pipe.ReadAsync(buffer, cancellationToken);
            if (count == 0 && buffer.Length > 0) _ended.TrySetResult();
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
