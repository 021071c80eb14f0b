using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Runtime.Api.Streams;

/// <summary>
/// A client's stream of messages, in both directions; whoever uses it ends it by <see cref="Close"/>. One reader, and any number of
/// writers.
/// </summary>
public sealed class ClientStream(IAsyncStreamReader<Any> reader, IServerStreamWriter<Any> writer, CancellationToken gone) : IDisposable
{
    private readonly SemaphoreSlim _writing = new(1);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when nobody uses the stream any more.</summary>
    public Task Closed => _closed.Task;

    public void Close() => _closed.TrySetResult();

    /// <summary>The next message; null when the client has sent its last one.</summary>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public async Task<Any?> ReadAsync(CancellationToken cancellation) => await reader.MoveNext(cancellation) ? reader.Current : null;

    public async Task WriteAsync(IMessage message, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, gone);
        await _writing.WaitAsync(either.Token);
        try
        {
            if (_closed.Task.IsCompleted) return;
            await writer.WriteAsync(Packed(message), either.Token);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose() => _writing.Dispose();

    /// <summary>With the bare name of its type, as Go's typeurl has it.</summary>
    private static Any Packed(IMessage message) => new() { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };
}
