using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Cri;

/// <summary>Which requests for a streaming URL get one, and which are refused, with the codes that the kubelet knows.</summary>
public sealed class CriStreamingTests : IAsyncLifetime
{
    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;
    private RuntimeService.RuntimeServiceClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcServer.StartAsync(_script.Domain);
        _client = new RuntimeService.RuntimeServiceClient(_server.Channel);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Fact]
    public async Task A_running_container_and_a_ready_sandbox_get_urls_on_loopback()
    {
        var (pod, container) = (_script.Add(ScriptedDomain.Sandbox()), _script.Add(ScriptedDomain.Container()));

        var exec = await _client.ExecAsync(Exec(container.Id[..10]), cancellationToken: Cancellation);
        var attach = await _client.AttachAsync(new AttachRequest { ContainerId = container.Id, Stdin = true, Stdout = true, Tty = true }, cancellationToken: Cancellation);

        Assert.Matches("^http://127\\.0\\.0\\.1:\\d+/exec/[A-Za-z0-9_-]{22}$", exec.Url);
        Assert.Matches("^http://127\\.0\\.0\\.1:\\d+/attach/[A-Za-z0-9_-]{22}$", attach.Url);
        Assert.Empty(_script.Commands);
        _script.Add(pod with { NetworkNamespacePath = "/run/netns/a" });
        var forward = await _client.PortForwardAsync(new PortForwardRequest { PodSandboxId = pod.Id[..10], Port = { 80 } }, cancellationToken: Cancellation);
        Assert.Matches("^http://127\\.0\\.0\\.1:\\d+/portforward/[A-Za-z0-9_-]{22}$", forward.Url);
    }

    public static TheoryData<string, ExecRequest> BadExecs => new()
    {
        { "no command", new ExecRequest { ContainerId = "c", Stdout = true } },
        { "no container", new ExecRequest { Cmd = { "true" }, Stdout = true } },
        { "a path as container", new ExecRequest { ContainerId = "../c", Cmd = { "true" }, Stdout = true } },
        { "no stream", new ExecRequest { ContainerId = "c", Cmd = { "true" } } },
        { "a terminal has no stderr", new ExecRequest { ContainerId = "c", Cmd = { "true" }, Tty = true, Stdout = true, Stderr = true } },
        { "NUL in the command", new ExecRequest { ContainerId = "c", Cmd = { "a\0b" }, Stdout = true } },
    };

    [Theory]
    [MemberData(nameof(BadExecs))]
    public async Task An_exec_that_cannot_be_meant_is_invalid(string why, ExecRequest request)
    {
        _script.Add(ScriptedDomain.Container());

        var refused = await FailureAsync(() => _client.ExecAsync(request, cancellationToken: Cancellation));

        Assert.True(refused.StatusCode == StatusCode.InvalidArgument, $"{why}: {refused.Status}");
    }

    [Theory]
    [InlineData(false, false, false, false)]
    [InlineData(true, true, true, true)]
    public async Task An_attach_that_cannot_be_meant_is_invalid(bool stdin, bool stdout, bool stderr, bool tty)
    {
        var container = _script.Add(ScriptedDomain.Container());
        var request = new AttachRequest { ContainerId = container.Id, Stdin = stdin, Stdout = stdout, Stderr = stderr, Tty = tty };

        Assert.Equal(StatusCode.InvalidArgument, (await FailureAsync(() => _client.AttachAsync(request, cancellationToken: Cancellation))).StatusCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(65536)]
    public async Task A_port_that_is_none_is_invalid(int port)
    {
        var pod = _script.Add(ScriptedDomain.Sandbox());
        var request = new PortForwardRequest { PodSandboxId = pod.Id, Port = { port } };

        Assert.Equal(StatusCode.InvalidArgument, (await FailureAsync(() => _client.PortForwardAsync(request, cancellationToken: Cancellation))).StatusCode);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        var refused = new[]
        {
            await FailureAsync(() => _client.ExecAsync(Exec("nobody"), cancellationToken: Cancellation)),
            await FailureAsync(() => _client.AttachAsync(new AttachRequest { ContainerId = "nobody", Stdout = true }, cancellationToken: Cancellation)),
            await FailureAsync(() => _client.PortForwardAsync(new PortForwardRequest { PodSandboxId = "nobody" }, cancellationToken: Cancellation)),
        };

        Assert.All(refused, one => Assert.Equal(StatusCode.NotFound, one.StatusCode));
    }

    [Theory]
    [InlineData(ContainerPhase.Created)]
    [InlineData(ContainerPhase.Exited)]
    [InlineData(ContainerPhase.Unknown)]
    public async Task Only_a_running_container_is_streamed(ContainerPhase phase)
    {
        var container = _script.Add(ScriptedDomain.Container(phase: phase));

        Assert.Equal(StatusCode.FailedPrecondition, (await FailureAsync(() => _client.ExecAsync(Exec(container.Id), cancellationToken: Cancellation))).StatusCode);
    }

    [Fact]
    public async Task Only_a_ready_sandbox_is_forwarded_to()
    {
        var pod = _script.Add(ScriptedDomain.Sandbox(phase: SandboxPhase.NotReady));
        var request = new PortForwardRequest { PodSandboxId = pod.Id };

        Assert.Equal(StatusCode.FailedPrecondition, (await FailureAsync(() => _client.PortForwardAsync(request, cancellationToken: Cancellation))).StatusCode);
    }

    [Fact]
    public async Task More_urls_than_anybody_uses_are_refused()
    {
        var container = _script.Add(ScriptedDomain.Container());
        for (var i = 0; i < 1000; i++) await _client.ExecAsync(Exec(container.Id), cancellationToken: Cancellation);

        Assert.Equal(StatusCode.ResourceExhausted, (await FailureAsync(() => _client.ExecAsync(Exec(container.Id), cancellationToken: Cancellation))).StatusCode);
    }

    private static ExecRequest Exec(string container) => new() { ContainerId = container, Cmd = { "true" }, Stdout = true };

    private static async Task<RpcException> FailureAsync<T>(Func<AsyncUnaryCall<T>> call) =>
        await Assert.ThrowsAsync<RpcException>(async () => await call());
}
