using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Io;
using Runtime.Shim;
using Runtime.Shim.Loops;
using Runtime.Shim.Rpc;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Unit.Monitor;

public sealed class ShimConnectionTests : IDisposable, IDispatcher
{
    private readonly TempDirectory _directory = new();
    private readonly EventLoop _loop;
    private readonly Thread _thread;
    private readonly List<Call> _held = [];
    private readonly List<ShimConnection> _accepted = [];

    public ShimConnectionTests()
    {
        _loop = new EventLoop(new ShimLog(_directory.Path, isDebug: false));
        var listener = UnixSocket.TryListen(_directory["s"])!;
        _loop.Add(listener, EpollEvents.In, _ =>
        {
            while (UnixSocket.TryAccept(listener) is { } socket)
            {
                _accepted.Add(new ShimConnection(_loop, socket, this, ended => _accepted.Remove(ended)));
            }
        });
        _thread = new Thread(_loop.Run);
        _thread.Start();
    }

    public void Dispose()
    {
        _loop.Post(_loop.Stop);
        _thread.Join();
        _directory.Dispose();
    }

    void IDispatcher.Dispatch(Call call, string service, string method, WireReader payload)
    {
        switch (method)
        {
            case "Echo": call.Reply(ContainerRequest.Read(payload)); break;
            case "Hold": _held.Add(call); break;
            case "Release":
                _held.ForEach(held => held.Done());
                call.Done();
                break;
            case "Defect": throw new InvalidOperationException("a defect");
            default: throw new FaultException(FaultKind.Unimplemented, "ttrpc.unknown-method", "no");
        }
    }

    [Fact]
    public async Task A_call_that_is_not_answered_yet_does_not_hold_up_others()
    {
        await using var client = await Connect();
        var slow = Call(client, "Hold", "");
        for (var i = 0; i < 100; i++)
            Assert.Equal($"{i}", (await Call(client, "Echo", $"{i}")).Id);
        Assert.False(slow.IsCompleted);

        await Call(client, "Release", "");
        await slow;
    }

    [Fact]
    public async Task Many_calls_at_once_and_big_ones_are_answered()
    {
        await using var client = await Connect();
        var big = new string('x', 2 * 1024 * 1024);

        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => Call(client, "Echo", i % 100 == 0 ? big + i : $"{i}")));

        Assert.Equal(Enumerable.Range(0, 300).Select(i => i % 100 == 0 ? big + i : $"{i}"), answers.Select(answer => answer.Id));
    }

    [Fact]
    public async Task A_defect_in_a_handler_is_that_calls_failure_only()
    {
        await using var client = await Connect();

        Assert.Equal(FaultKind.Unknown, (await Assert.ThrowsAsync<FaultException>(() => Call(client, "Defect", ""))).Fault.Kind);
        Assert.Equal(FaultKind.Unimplemented, (await Assert.ThrowsAsync<FaultException>(() => Call(client, "Nothing", ""))).Fault.Kind);
        Assert.Equal("x", (await Call(client, "Echo", "x")).Id);
    }

    [Fact]
    public async Task A_request_over_4_MiB_is_refused_and_the_connection_stays()
    {
        using var socket = UnixSocket.TryConnect(_directory["s"], nonBlocking: false)!;
        var frame = new byte[FrameHeader.Bytes + FrameHeader.MaxPayload + 1];
        new FrameHeader(FrameHeader.MaxPayload + 1, 1, FrameType.Request, 0).Write(frame);
        Descriptors.Write(socket, frame);
        Assert.Equal(8, Answer(socket));

        using var next = new WireWriter();
        RpcRequest.WriteFrame(next, 3, "s", "Echo", new ContainerRequest { Id = "x" }, null, null);
        Descriptors.Write(socket, next.Written);
        Assert.Equal(0, Answer(socket));
        await Task.CompletedTask;
    }

    private static int Answer(Microsoft.Win32.SafeHandles.SafeFileHandle socket)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (length < FrameHeader.Bytes || length < FrameHeader.Bytes + FrameHeader.Read(buffer).Length)
            length += Descriptors.Read(socket, buffer.AsSpan(length));
        return RpcResponse.Read(new WireReader(buffer.AsSpan(FrameHeader.Bytes, length - FrameHeader.Bytes))).Code;
    }

    private Task<TtrpcClient> Connect() => TtrpcClient.ConnectAsync(_directory["s"], TestContext.Current.CancellationToken);

    private static Task<ContainerRequest> Call(TtrpcClient client, string method, string id) =>
        client.CallAsync<ContainerRequest, ContainerRequest>(
            "s", method, new() { Id = id }, "ns", TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
}
