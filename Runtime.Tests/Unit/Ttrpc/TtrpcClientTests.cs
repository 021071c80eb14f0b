using System.Buffers.Binary;
using System.Net.Sockets;
using Runtime.Faults;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Unit.Ttrpc;

public sealed class TtrpcClientTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string Path => _directory["s"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Events_arrive_in_the_order_they_were_forwarded()
    {
        var seen = new List<string>();
        await using var listener = Listen(new EventsService((envelope, _) =>
        {
            seen.Add(envelope.Topic);
            return Task.CompletedTask;
        }));
        await using var client = await TtrpcClient.ConnectAsync($"unix://{Path}", Cancellation);

        for (var i = 0; i < 100; i++)
            await Forward(client, $"/{i}");

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"/{i}"), seen);
    }

    [Fact]
    public async Task A_service_that_is_not_there_answers_Unimplemented()
    {
        await using var listener = Listen(new EventsService((_, _) => Task.CompletedTask));
        await using var client = await TtrpcClient.ConnectAsync(Path, Cancellation);

        var fault = await Assert.ThrowsAsync<FaultException>(() =>
            client.CallAsync<Empty, Empty>("no.Service", "Call", Empty.Value, null, null, Cancellation));

        Assert.Equal(FaultKind.Unimplemented, fault.Fault.Kind);
    }

    [Fact]
    public async Task A_request_over_4_MiB_is_refused_and_the_connection_stays()
    {
        await using var listener = Listen(new EventsService((_, _) => Task.CompletedTask));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path), Cancellation);
        await using var stream = new NetworkStream(socket);
        var frame = new byte[FrameHeader.Bytes + FrameHeader.MaxPayload + 1];
        new FrameHeader(FrameHeader.MaxPayload + 1, 1, FrameType.Request, 0).Write(frame);
        await stream.WriteAsync(frame, Cancellation);

        Assert.Equal(8, (await Answer(stream)).Code);

        using var next = new WireWriter();
        RpcRequest.WriteFrame(next, 3, EventsService.Service, "Forward", new ForwardRequest { Envelope = new() }, null, null);
        await stream.WriteAsync(next.WrittenMemory, Cancellation);
        Assert.Equal(0, (await Answer(stream)).Code);
    }

    [Fact]
    public async Task Many_calls_share_one_connection_and_answers_find_their_calls()
    {
        await using var listener = Listen(new Echo());
        await using var client = await TtrpcClient.ConnectAsync(Path, Cancellation);

        var answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => client.CallAsync<ContainerRequest, ContainerRequest>(
            "echo", "Echo", new() { Id = $"{i}" }, "ns", TimeSpan.FromSeconds(30), Cancellation)));

        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), answers.Select(answer => answer.Id));
    }

    [Fact]
    public async Task A_call_that_is_not_answered_in_time_fails_with_DeadlineExceeded()
    {
        await using var listener = Listen(new EventsService((_, cancellation) => Task.Delay(Timeout.Infinite, cancellation)));
        await using var client = await TtrpcClient.ConnectAsync(Path, Cancellation);

        var fault = await Assert.ThrowsAsync<FaultException>(() => client.CallAsync<ForwardRequest, Empty>(
            EventsService.Service, "Forward", new() { Envelope = new() }, null, TimeSpan.FromMilliseconds(50), Cancellation));

        Assert.Equal(FaultKind.DeadlineExceeded, fault.Fault.Kind);
    }

    [Fact]
    public async Task Calls_in_flight_fail_with_Unavailable_when_the_server_goes_away()
    {
        var reached = new TaskCompletionSource();
        var listener = Listen(new EventsService((_, cancellation) =>
        {
            reached.SetResult();
            return Task.Delay(Timeout.Infinite, cancellation);
        }));
        await using var client = await TtrpcClient.ConnectAsync(Path, Cancellation);
        var call = Forward(client, "/x");
        await reached.Task;
        await listener.DisposeAsync();

        Assert.Equal("ttrpc.closed", (await Assert.ThrowsAsync<FaultException>(() => call)).Fault.Code);
        await client.Closed;
        Assert.Equal(FaultKind.Unavailable, (await Assert.ThrowsAsync<FaultException>(() => Forward(client, "/y"))).Fault.Kind);
    }

    [Fact]
    public async Task A_socket_without_a_listener_is_Unavailable()
    {
        var fault = await Assert.ThrowsAsync<FaultException>(() => TtrpcClient.ConnectAsync(Path, Cancellation));

        Assert.Equal((FaultKind.Unavailable, "ttrpc.unreachable"), (fault.Fault.Kind, fault.Fault.Code));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Task<Empty> Forward(TtrpcClient client, string topic) => client.CallAsync<ForwardRequest, Empty>(
        EventsService.Service, "Forward", new() { Envelope = new() { Topic = topic } }, "ns", TimeSpan.FromSeconds(30), Cancellation);

    private static async Task<(int Code, string Message)> Answer(Stream stream)
    {
        var header = new byte[FrameHeader.Bytes];
        await stream.ReadExactlyAsync(header, Cancellation);
        var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(header)];
        await stream.ReadExactlyAsync(payload, Cancellation);
        return Parts(payload);

        static (int, string) Parts(byte[] payload)
        {
            var response = RpcResponse.Read(new WireReader(payload));
            return (response.Code, response.Message);
        }
    }

    private TtrpcListener Listen(ITtrpcService service)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path));
        socket.Listen();
        return new(socket, service);
    }

    private sealed class Echo : ITtrpcService
    {
        public Task<ReadOnlyMemory<byte>> CallAsync(
            string service, string method, ReadOnlyMemory<byte> payload, CancellationToken cancellation) => Task.FromResult(payload);
    }
}
