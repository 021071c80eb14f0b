using System.Text.Json;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Xunit;

namespace Runtime.Tests.Integration.Grpc;

/// <summary>Python's grpcio (the C core) as a client of another language. Messages are bytes, so that no generated code is needed.</summary>
public sealed class PythonClientTests : IAsyncLifetime
{
    /// <summary>The distribution's, whose packages include grpcio (python3-grpcio).</summary>
    private const string Python = "/usr/bin/python3";

    private const string Program =
        """
        import grpc, json, sys
        channel = grpc.insecure_channel(sys.argv[1], options=json.loads(sys.argv[2]))
        def call(method, request=b'', metadata=None, timeout=10):
            try:
                return channel.unary_unary(method)(request, metadata=metadata, timeout=timeout).hex()
            except grpc.RpcError as error:
                return error.code().name + ': ' + error.details()
        print(json.dumps([
            call('/runtime.v1.RuntimeService/Version'),
            call('/runtime.v1.RuntimeService/PodSandboxStatus', b'\x0a\x04beef'),
            call('/runtime.v1.RuntimeService/StopContainer', b'\x0a\x04beef', timeout=0.3),
            call('/containerd.services.tasks.v1.Tasks/List'),
            call('/containerd.services.tasks.v1.Tasks/List', metadata=[('containerd-namespace', 'k8s.io')]),
            call('/runtime.v1.RuntimeService/Exec'),
            call('/nobody.knows/This'),
        ]))
        """;

    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await GrpcServer.StartAsync(_script.Domain);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""[["grpc.default_authority", "localhost"]]""")]
    [InlineData("""[["grpc.default_authority", "unix:///run/actord/actord.sock"]]""")]
    [InlineData("""[["grpc.default_authority", "/run/actord/actord.sock"]]""")]
    [InlineData("""[["grpc.default_authority", "%2Frun%2Factord%2Factord.sock"]]""")]
    public async Task Calls_statuses_and_deadlines_are_as_in_every_other_language(string channelOptions)
    {
        _script.Answer = _ => null;

        var printed = await Tool.RunAsync(Python, "-I", "-c", Program, "unix://" + _server.Socket, channelOptions);

        var answers = JsonSerializer.Deserialize<string[]>(printed)!;
        Assert.Contains(Convert.ToHexStringLower("actord"u8), answers[0], StringComparison.Ordinal);
        Assert.StartsWith("NOT_FOUND: ", answers[1], StringComparison.Ordinal);
        Assert.StartsWith("DEADLINE_EXCEEDED: ", answers[2], StringComparison.Ordinal);
        Assert.StartsWith("FAILED_PRECONDITION: namespace is required", answers[3], StringComparison.Ordinal);
        Assert.Equal("", answers[4]);
        Assert.StartsWith("INVALID_ARGUMENT: cmd is required", answers[5], StringComparison.Ordinal);
        Assert.StartsWith("UNIMPLEMENTED: ", answers[6], StringComparison.Ordinal);
    }
}
