using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Sandboxes;
using Runtime.Api.Edge;
using Runtime.Cri.V1;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;
using ContainerState = Runtime.Cri.V1.ContainerState;

namespace Runtime.Tests.Unit.Cri;

/// <summary>The runtime service through a real channel, over a scripted domain.</summary>
public sealed class CriRuntimeTests : IAsyncLifetime
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
    public async Task Version_says_what_the_kubelet_checks()
    {
        var version = await _client.VersionAsync(new VersionRequest(), cancellationToken: Cancellation);

        Assert.Equal(("0.1.0", "actord", "v1"), (version.Version, version.RuntimeName, version.RuntimeApiVersion));
        Assert.Matches(@"^\d+\.\d+\.\d+", version.RuntimeVersion);
    }

    [Fact]
    public async Task Status_shows_conditions_and_the_default_handler_under_the_empty_name()
    {
        _script.Network.Ready = false;
        _script.Network.Message = "no CNI configuration in /etc/cni/net.d";

        var status = await _client.StatusAsync(new StatusRequest { Verbose = true }, cancellationToken: Cancellation);

        Assert.Equal(["RuntimeReady", "NetworkReady"], status.Status.Conditions.Select(condition => condition.Type));
        Assert.True(status.Status.Conditions[0].Status);
        Assert.False(status.Status.Conditions[1].Status);
        Assert.Equal(_script.Network.Message, status.Status.Conditions[1].Message);
        Assert.Equal(["", "crun", "runc"], status.RuntimeHandlers.Select(handler => handler.Name));
        using var config = System.Text.Json.JsonDocument.Parse(status.Info["config"]);
        Assert.Equal(_server.Options.Directories.State, config.RootElement.GetProperty("stateDir").GetString());
    }

    [Fact]
    public async Task RunPodSandbox_sends_the_config_with_a_new_id_and_returns_the_actors()
    {
        _script.Answer = _ => new SandboxStarted("the-one-that-was-joined");

        var reply = await _client.RunPodSandboxAsync(
            new RunPodSandboxRequest { Config = Requests.Sandbox() }, cancellationToken: Cancellation);

        Assert.Equal("the-one-that-was-joined", reply.PodSandboxId);
        var sent = Assert.IsType<RunSandbox>(Assert.Single(_script.Commands));
        Assert.Matches("^[0-9a-f]{64}$", sent.EntityId);
        Assert.Equal("pod", sent.Config.Name);
    }

    [Fact]
    public async Task An_unknown_runtime_handler_is_refused_before_anything_is_sent()
    {
        var refused = await FailureAsync(() => _client.RunPodSandboxAsync(
            new RunPodSandboxRequest { Config = Requests.Sandbox(), RuntimeHandler = "kata" }, cancellationToken: Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains("kata", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(_script.Commands);
    }

    [Fact]
    public async Task A_rejected_command_is_its_faults_status_message_and_code()
    {
        _script.Answer = _ => new Rejected(FaultKind.FailedPrecondition, "sandbox.not-ready", "Sandbox a is not ready.");

        var refused = await FailureAsync(() => _client.StopPodSandboxAsync(
            new StopPodSandboxRequest { PodSandboxId = "a" }, cancellationToken: Cancellation));

        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Equal("Sandbox a is not ready.", refused.Status.Detail);
        Assert.Equal("sandbox.not-ready", refused.Trailers.GetValue(FaultStatus.CodeTrailer));
    }

    [Fact]
    public async Task A_reply_of_the_wrong_type_is_an_internal_error()
    {
        _script.Answer = _ => new SandboxStopped("a");

        var refused = await FailureAsync(() => _client.RunPodSandboxAsync(
            new RunPodSandboxRequest { Config = Requests.Sandbox() }, cancellationToken: Cancellation));

        Assert.Equal(StatusCode.Internal, refused.StatusCode);
    }

    [Fact]
    public async Task A_deadline_ends_the_waiting_with_its_own_status()
    {
        _script.Answer = _ => null;

        var refused = await FailureAsync(() => _client.RunPodSandboxAsync(
            new RunPodSandboxRequest { Config = Requests.Sandbox() },
            deadline: DateTime.UtcNow.AddMilliseconds(300), cancellationToken: Cancellation));

        Assert.Equal(StatusCode.DeadlineExceeded, refused.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stop_and_remove_of_unknown_ids_reach_the_actor_and_status_is_not_found(bool isSandbox)
    {
        const string Unknown = "podSandboxID-unknown";
        if (isSandbox)
        {
            await _client.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = Unknown }, cancellationToken: Cancellation);
            await _client.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = Unknown }, cancellationToken: Cancellation);
            var missing = await FailureAsync(() => _client.PodSandboxStatusAsync(
                new PodSandboxStatusRequest { PodSandboxId = Unknown }, cancellationToken: Cancellation));
            Assert.Equal(StatusCode.NotFound, missing.StatusCode);
        }
        else
        {
            await _client.StopContainerAsync(new StopContainerRequest { ContainerId = Unknown }, cancellationToken: Cancellation);
            await _client.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = Unknown }, cancellationToken: Cancellation);
            var missing = await FailureAsync(() => _client.ContainerStatusAsync(
                new ContainerStatusRequest { ContainerId = Unknown }, cancellationToken: Cancellation));
            Assert.Equal(StatusCode.NotFound, missing.StatusCode);
        }
        Assert.All(_script.Commands, command => Assert.Equal(Unknown, ((IEntityCommand)command).EntityId));
        Assert.Equal(2, _script.Commands.Count);
    }

    [Fact]
    public async Task The_start_of_an_id_is_enough_unless_two_have_it()
    {
        var sandbox = _script.Add(ScriptedDomain.Sandbox('a'));
        _script.Add(ScriptedDomain.Sandbox() with { Id = "ab" + new string('0', 62) });

        var status = await _client.PodSandboxStatusAsync(
            new PodSandboxStatusRequest { PodSandboxId = "aaa" }, cancellationToken: Cancellation);
        var refused = await FailureAsync(() => _client.PodSandboxStatusAsync(
            new PodSandboxStatusRequest { PodSandboxId = "a" }, cancellationToken: Cancellation));

        Assert.Equal(sandbox.Id, status.Status.Id);
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task Lists_apply_every_condition_and_leave_out_what_is_being_made_or_removed()
    {
        _script.Add(ScriptedDomain.Sandbox('a'));
        _script.Add(ScriptedDomain.Sandbox('b', SandboxPhase.NotReady));
        _script.Add(ScriptedDomain.Sandbox('d', SandboxPhase.Creating));
        _script.Add(ScriptedDomain.Sandbox('e', SandboxPhase.Removing));

        var all = await _client.ListPodSandboxAsync(new ListPodSandboxRequest(), cancellationToken: Cancellation);
        var ready = await _client.ListPodSandboxAsync(
            new ListPodSandboxRequest
            {
                Filter = new PodSandboxFilter { State = new PodSandboxStateValue { State = PodSandboxState.SandboxReady } },
            },
            cancellationToken: Cancellation);
        var none = await _client.ListPodSandboxAsync(
            new ListPodSandboxRequest { Filter = new PodSandboxFilter { Id = "a", LabelSelector = { ["app"] = "web" } } },
            cancellationToken: Cancellation);

        Assert.Equal(["a", "b"], all.Items.Select(item => item.Id[..1]).Order());
        Assert.Equal(new string('a', 64), Assert.Single(ready.Items).Id);
        Assert.Empty(none.Items);
    }

    [Theory]
    [InlineData(ContainerPhase.Created, ContainerState.ContainerCreated, false, false)]
    [InlineData(ContainerPhase.Starting, ContainerState.ContainerCreated, false, false)]
    [InlineData(ContainerPhase.Running, ContainerState.ContainerRunning, true, false)]
    [InlineData(ContainerPhase.Exited, ContainerState.ContainerExited, true, true)]
    [InlineData(ContainerPhase.Unknown, ContainerState.ContainerUnknown, true, false)]
    public async Task A_container_in_a_phase_has_a_state_and_the_times_of_it(
        ContainerPhase phase, ContainerState state, bool hasStarted, bool hasFinished)
    {
        var view = _script.Add(ScriptedDomain.Container(phase: phase));

        var status = (await _client.ContainerStatusAsync(
            new ContainerStatusRequest { ContainerId = view.Id, Verbose = true }, cancellationToken: Cancellation));

        Assert.Equal(state, status.Status.State);
        Assert.Equal(2_000_000_000, status.Status.CreatedAt);
        Assert.Equal(hasStarted ? 3_000_000_000 : 0, status.Status.StartedAt);
        Assert.Equal(hasFinished ? 4_000_000_000 : 0, status.Status.FinishedAt);
        Assert.Equal((view.ImageId, view.ImageRef), (status.Status.ImageId, status.Status.ImageRef));
        using var info = System.Text.Json.JsonDocument.Parse(status.Info["info"]);
        Assert.Equal(view.SandboxId, info.RootElement.GetProperty("sandboxID").GetString());
    }

    [Fact]
    public async Task CreateContainer_needs_its_sandbox_and_an_image()
    {
        var sandbox = _script.Add(ScriptedDomain.Sandbox());

        var created = await _client.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = sandbox.Id[..8], Config = Requests.Container() }, cancellationToken: Cancellation);
        var orphan = await FailureAsync(() => _client.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = "b", Config = Requests.Container() }, cancellationToken: Cancellation));
        var imageless = Requests.Container();
        imageless.Image = null;
        var refused = await FailureAsync(() => _client.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = sandbox.Id, Config = imageless }, cancellationToken: Cancellation));

        var sent = Assert.IsType<CreateContainer>(Assert.Single(_script.Commands));
        Assert.Equal((created.ContainerId, sandbox.Id), (sent.EntityId, sent.SandboxId));
        Assert.Equal(StatusCode.NotFound, orphan.StatusCode);
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task ExecSync_returns_output_and_exit_code()
    {
        var view = _script.Add(ScriptedDomain.Container());
        _script.Answer = _ => new ExecSyncResult(3, "out"u8.ToArray(), "err"u8.ToArray());

        var result = await _client.ExecSyncAsync(
            new ExecSyncRequest { ContainerId = view.Id[..6], Cmd = { "sh", "-c", "exit 3" }, Timeout = 5 }, cancellationToken: Cancellation);

        Assert.Equal((3, "out", "err"), (result.ExitCode, result.Stdout.ToStringUtf8(), result.Stderr.ToStringUtf8()));
        var sent = Assert.IsType<ExecSync>(Assert.Single(_script.Commands));
        Assert.Equal(TimeSpan.FromSeconds(5), sent.Timeout);
    }

    [Fact]
    public async Task UpdatePodSandboxResources_sends_what_was_given_and_no_more()
    {
        var view = _script.Add(ScriptedDomain.Sandbox());

        await _client.UpdatePodSandboxResourcesAsync(
            new UpdatePodSandboxResourcesRequest { PodSandboxId = view.Id[..6], Resources = new() { CpuShares = 5 } }, cancellationToken: Cancellation);

        var sent = Assert.IsType<UpdateSandbox>(Assert.Single(_script.Commands));
        Assert.Equal(view.Id, sent.EntityId);
        Assert.Null(sent.Overhead);
        Assert.Equal(5, sent.Resources!.CpuShares);
    }

    [Theory]
    [InlineData("nobody", 5, StatusCode.NotFound, "nobody")]
    [InlineData("", 5, StatusCode.InvalidArgument, "pod_sandbox_id")]
    [InlineData("aa", -5, StatusCode.InvalidArgument, "overhead.cpu_shares")]
    public async Task UpdatePodSandboxResources_refuses_what_cannot_be_meant(string id, long shares, StatusCode status, string named)
    {
        _script.Add(ScriptedDomain.Sandbox());

        var refused = await FailureAsync(() => _client.UpdatePodSandboxResourcesAsync(
            new UpdatePodSandboxResourcesRequest { PodSandboxId = id, Overhead = new() { CpuShares = shares } }, cancellationToken: Cancellation));

        Assert.Equal(status, refused.StatusCode);
        Assert.Contains(named, refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(_script.Commands);
    }

    [Fact]
    public async Task UpdateRuntimeConfig_hands_the_pods_addresses_on()
    {
        await _client.UpdateRuntimeConfigAsync(new UpdateRuntimeConfigRequest(), cancellationToken: Cancellation);
        await _client.UpdateRuntimeConfigAsync(
            new UpdateRuntimeConfigRequest { RuntimeConfig = new() { NetworkConfig = new() { PodCidr = "10.0.0.0/24" } } },
            cancellationToken: Cancellation);

        Assert.Equal(["", "10.0.0.0/24"], _script.PodCidrs.Applied);
    }

    private static async Task<RpcException> FailureAsync<T>(Func<AsyncUnaryCall<T>> call) =>
        await Assert.ThrowsAsync<RpcException>(async () => await call());
}
