using Containerd.Services.Sandbox.V1;
using Grpc.Core;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.SandboxRecords;
using Runtime.Actors.Sandboxes;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Xunit;

namespace Runtime.Tests.Unit.Api;

public sealed class SandboxServicesTests : IAsyncLifetime
{
    private static readonly Metadata Headers = new() { { "containerd-namespace", "k8s.io" } };

    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await GrpcServer.StartAsync(_script.Domain);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    private Store.StoreClient Store => new(_server.Channel);

    private Controller.ControllerClient Controller => new(_server.Channel);

    [Fact]
    public async Task Pods_and_records_are_listed_side_by_side_and_found_by_filters()
    {
        var pod = _script.Add(ScriptedDomain.Sandbox());
        _script.Domain.SandboxRecords.Set(NamespaceName.Kubernetes, "mine", new SandboxRecord { Id = "mine", Sandboxer = "shim" });

        var all = (await Store.ListAsync(new StoreListRequest(), Headers)).List;
        Assert.Equal([pod.Id, "mine"], all.Select(sandbox => sandbox.SandboxId));
        var found = (await Store.ListAsync(new StoreListRequest { Filters = { "sandboxer==podsandbox" } }, Headers)).List;
        Assert.Equal(pod.Id, Assert.Single(found).SandboxId);
        Assert.Equal("io.containerd.runc.v2", found[0].Runtime.Name);
        Assert.Equal("mine", (await Store.GetAsync(new StoreGetRequest { SandboxId = "mine" }, Headers)).Sandbox.SandboxId);
        Assert.Equal(StatusCode.NotFound, await StatusAsync(() => Store.GetAsync(new StoreGetRequest { SandboxId = "no" }, Headers).ResponseAsync));
    }

    [Fact]
    public async Task A_pods_state_is_told_and_its_end_waited_for()
    {
        var pod = _script.Add(ScriptedDomain.Sandbox() with { Pid = 17 });
        var status = await Controller.StatusAsync(new ControllerStatusRequest { SandboxId = pod.Id }, Headers);
        Assert.Equal(("SANDBOX_READY", 17u), (status.State, status.Pid));
        var waiting = Controller.WaitAsync(new ControllerWaitRequest { SandboxId = pod.Id, Sandboxer = "podsandbox" }, Headers);
        var at = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        // Until the call has subscribed nothing comes of it.
        while (!waiting.ResponseAsync.IsCompleted)
        {
            _script.Domain.Changes.Publish(new EntityChange(NamespaceName.Kubernetes, pod.Id, [], pod, pod with { Phase = SandboxPhase.NotReady }, at));
            await Task.WhenAny(waiting.ResponseAsync, Task.Delay(20, TestContext.Current.CancellationToken));
        }
        Assert.Equal(at, (await waiting).ExitedAt.ToDateTimeOffset());
    }

    [Fact]
    public async Task Stop_and_shutdown_are_the_pods_own_and_starting_is_left_to_cri()
    {
        var pod = _script.Add(ScriptedDomain.Sandbox());
        await Controller.StopAsync(new ControllerStopRequest { SandboxId = pod.Id }, Headers);
        await Controller.ShutdownAsync(new ControllerShutdownRequest { SandboxId = pod.Id }, Headers);
        Assert.Contains(_script.Commands, command => command is StopSandbox stop && stop.EntityId == pod.Id);
        Assert.Contains(_script.Commands, command => command is RemoveSandbox remove && remove.EntityId == pod.Id);
        Assert.Equal(StatusCode.Unimplemented, await StatusAsync(() => Controller.CreateAsync(new ControllerCreateRequest { SandboxId = "x" }, Headers).ResponseAsync));
        Assert.Equal(StatusCode.NotFound, await StatusAsync(() => Controller.StatusAsync(new ControllerStatusRequest { SandboxId = "x" }, Headers).ResponseAsync));
    }

    private static async Task<StatusCode> StatusAsync(Func<Task> call) => (await Assert.ThrowsAsync<RpcException>(call)).StatusCode;
}
