using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Unit.Ttrpc;

public sealed class WireTests
{
    [Fact]
    public void A_create_request_has_the_bytes_of_its_proto_definition()
    {
        var bytes = WireWriter.ToArray(new CreateTaskRequest
        {
            Id = "c1",
            Bundle = "/b",
            Rootfs = [new MountSpec("bind", "/s", "", ["ro"])],
            Terminal = true,
            Stdout = "/o",
            Options = new WireAny("t", new byte[] { 1 }),
        });

        Assert.Equal(
            "0A026331" + "12022F62" + "1A0E" + "0A0462696E64" + "12022F73" + "2202726F" + "2001" + "32022F6F" + "5206" + "0A0174" + "120101",
            Convert.ToHexString(bytes));
    }

    [Fact]
    public void A_request_frame_has_a_big_endian_header_and_the_namespace_as_metadata()
    {
        using var writer = new WireWriter();
        RpcRequest.WriteFrame(writer, 3, "S", "M", new ContainerRequest { Id = "c" }, TimeSpan.FromTicks(10), "k8s.io");

        var header = FrameHeader.Read(writer.Written);
        Assert.Equal(new FrameHeader(writer.Length - FrameHeader.Bytes, 3, FrameType.Request, 0), header);
        Assert.Equal("00000034" + "00000003" + "01" + "00", Convert.ToHexString(writer.Written[..10]));
        Assert.Equal(
            "0A0153" + "12014D" + "1A030A0163" + "20E807"
            + "2A24" + "0A1A" + Convert.ToHexString("containerd-namespace-ttrpc"u8) + "1206" + Convert.ToHexString("k8s.io"u8),
            Convert.ToHexString(writer.Written[10..]));
    }

    [Fact]
    public void A_nested_message_longer_than_127_bytes_keeps_its_content()
    {
        var long1 = new string('x', 70_000);
        var read = Again(new ForwardRequest { Envelope = new() { Topic = long1, Namespace = "n" } });

        Assert.Equal((long1, "n"), (read.Envelope!.Topic, read.Envelope.Namespace));
    }

    [Fact]
    public void Times_keep_hundreds_of_nanoseconds_before_and_after_1970()
    {
        foreach (var time in (DateTimeOffset[])[DateTimeOffset.UnixEpoch.AddTicks(12345678), DateTimeOffset.UnixEpoch.AddTicks(-1)])
            Assert.Equal(time, Again(new WaitResponse { ExitedAt = time, ExitStatus = 137 }).ExitedAt);
    }

    [Fact]
    public void Gos_zero_time_reads_as_no_time()
    {
        using var writer = new WireWriter();
        var start = writer.Begin(2);
        writer.Int64(1, -62135596800);
        writer.End(start);

        Assert.Null(WaitResponse.Read(new WireReader(writer.Written)).ExitedAt);
    }

    [Fact]
    public void Processes_carry_their_exec_id_in_an_any()
    {
        var read = Again(new PidsResponse { Processes = [new(1, ""), new(2, "e")] });

        Assert.Equal([new(1, ""), new(2, "e")], read.Processes);
    }

    [Fact]
    public void Bootstrap_parameters_survive_with_their_extensions()
    {
        var read = Again(new BootstrapParams
        {
            InstanceId = "i",
            Namespace = "n",
            LogLevel = -4,
            SocketDir = "/d",
            Extensions = [WireAny.Pack("containerd.runc.v1.Options", new RuncOptionsMessage { BinaryName = "crun" })],
        });

        Assert.Equal(("i", "n", -4, "/d"), (read.InstanceId, read.Namespace, read.LogLevel, read.SocketDir));
        Assert.Equal("crun", RuncOptionsMessage.Read(new WireReader(Assert.Single(read.Extensions).Value.Span)).BinaryName);
    }

    [Theory]
    [InlineData("0A05AB", "a length over the end")]
    [InlineData("08", "a varint cut off")]
    [InlineData("08FFFFFFFFFFFFFFFFFFFF01", "a varint of more than ten bytes")]
    [InlineData("0801", "a number where a string should be")]
    [InlineData("0B", "a group")]
    [InlineData("0001", "field number zero")]
    public void Malformed_bytes_are_a_fault(string hex, string what)
    {
        var fault = Assert.Throws<FaultException>(() => ContainerRequest.Read(new WireReader(Convert.FromHexString(hex))));

        Assert.True(fault.Fault is { Kind: FaultKind.InvalidArgument, Code: "wire.malformed" }, what);
    }

    [Fact]
    public void Unknown_fields_are_skipped()
    {
        var bytes = Convert.FromHexString("F80F01" + "F90F0102030405060708" + "FA0F0141" + "FD0F01020304" + "0A0163");

        Assert.Equal("c", ContainerRequest.Read(new WireReader(bytes)).Id);
    }

    private static T Again<T>(T message)
        where T : IWireMessage<T> => T.Read(new WireReader(WireWriter.ToArray(message)));
}
