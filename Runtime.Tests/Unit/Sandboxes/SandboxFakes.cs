using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net.Sockets;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Network;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Actord;

namespace Runtime.Tests.Unit.Sandboxes;

/// <summary>
/// The outside of sandboxes, in memory: what exists outlives the actor system, as it outlives a daemon. Calls are recorded,
/// and each can be made to fail or to wait.
/// </summary>
internal sealed class FakeMachine : ICniNetwork, IShims, ISandboxResources, IPauseContainers, ISandboxVolumes
{
    private readonly ConcurrentDictionary<string, RuntimeFault> _faults = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _held = new();
    private readonly ConcurrentDictionary<string, bool> _ended = new();

    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>What exists: <c>pins ID</c>, <c>files ID</c>, <c>lease ID</c>, <c>shim ID</c>, <c>sandbox ID</c>.</summary>
    public ConcurrentDictionary<string, bool> Things { get; } = new();

    public SandboxPorts Ports => new(this, this, this, this, this);

    public string[] Exist => [.. Things.Keys.Order()];

    public void Fail(string call, RuntimeFault? fault = null) =>
        _faults[call] = fault ?? new(FaultKind.Internal, "test.fault", $"{call} failed.");

    public void Heal(string call) => _faults.TryRemove(call, out _);

    /// <summary>Calls of that name wait until <see cref="Resume"/>.</summary>
    public void Hold(string call) => _held[call] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume(string call)
    {
        if (_held.TryRemove(call, out var held)) held.SetResult();
    }

    public int Count(string call) => Calls.Count(one => one == call);

    public void KillShim(string id)
    {
        Things.TryRemove($"shim {id}", out _);
        Things.TryRemove($"sandbox {id}", out _);
        foreach (var shim in _shims.Where(shim => shim.Id == id)) shim.Ended.TrySetException(Dead.ToException());
    }

    /// <summary>The pod's first process ends, and the shim tells.</summary>
    public void EndProcess(string id)
    {
        _ended[id] = true;
        foreach (var shim in _shims.Where(shim => shim.Id == id)) shim.Ended.TrySetResult(new ProcessExit(43, 137, DateTimeOffset.UnixEpoch));
    }

    public async Task<CniAttachment> AddAsync(CniAttach attach, CancellationToken cancellation)
    {
        Things[$"lease {attach.ContainerId}"] = true;
        await CallAsync("add", cancellation);
        return new CniAttachment(["10.0.0.2"], "{}");
    }

    public Task CheckAsync(string containerId, string netnsPath, CancellationToken cancellation) => CallAsync("check", cancellation);

    public async Task DelAsync(CniDetach detach, CancellationToken cancellation)
    {
        await CallAsync("del", cancellation);
        Things.TryRemove($"lease {detach.ContainerId}", out _);
    }

    public async Task<IShim> StartAsync(ShimStart start, CancellationToken cancellation)
    {
        await CallAsync("start-shim", cancellation);
        Things[$"shim {start.Id}"] = true;
        return Shim(start.Id);
    }

    public async Task<IShim> ConnectAsync(NamespaceName space, string id, CancellationToken cancellation)
    {
        await CallAsync("connect", cancellation);
        return Things.ContainsKey($"shim {id}") ? Shim(id) : throw Dead.ToException();
    }

    public async Task CleanUpAsync(NamespaceName space, string id, CancellationToken cancellation)
    {
        await CallAsync("clean-up", cancellation);
        Things.TryRemove($"shim {id}", out _);
        Things.TryRemove($"sandbox {id}", out _);
    }

    public void Pin(SandboxPlan plan)
    {
        CallAsync("pin", CancellationToken.None).GetAwaiter().GetResult();
        Things[$"pins {plan.Id}"] = true;
    }

    public void Prepare(SandboxPlan plan)
    {
        CallAsync("prepare", CancellationToken.None).GetAwaiter().GetResult();
        Things[$"files {plan.Id}"] = true;
    }

    public bool HasNetwork(SandboxPlan plan) => Things.ContainsKey($"pins {plan.Id}");

    public string Missing(SandboxPlan plan) => HasNetwork(plan) ? "" : "The namespace";

    public void Unpin(SandboxPlan plan)
    {
        CallAsync("unpin", CancellationToken.None).GetAwaiter().GetResult();
        Things.TryRemove($"pins {plan.Id}", out _);
    }

    public async Task DeleteAsync(SandboxPlan plan, CancellationToken cancellation)
    {
        await CallAsync("delete", cancellation);
        Things.TryRemove($"files {plan.Id}", out _);
    }

    public Task ReleaseAsync(NamespaceName space, string sandboxId, CancellationToken cancellation) => CallAsync("release-volumes", cancellation);

    async Task<ImmutableArray<MountSpec>> IPauseContainers.PrepareAsync(SandboxPlan plan, CancellationToken cancellation)
    {
        await CallAsync("prepare-pause", cancellation);
        Things[$"rootfs {plan.Id}"] = true;
        return [];
    }

    async Task IPauseContainers.ReleaseAsync(SandboxPlan plan, CancellationToken cancellation)
    {
        await CallAsync("release-pause", cancellation);
        Things.TryRemove($"rootfs {plan.Id}", out _);
    }

    private static RuntimeFault Dead => new(FaultKind.Unavailable, "shim.dead", "Nobody answers.");

    private readonly ConcurrentBag<FakeShim> _shims = [];

    private FakeShim Shim(string id)
    {
        var shim = new FakeShim(this, id);
        _shims.Add(shim);
        if (_ended.ContainsKey(id)) shim.Ended.TrySetResult(new ProcessExit(43, 137, DateTimeOffset.UnixEpoch));
        return shim;
    }

    private async Task CallAsync(string call, CancellationToken cancellation)
    {
        Calls.Enqueue(call);
        if (_held.TryGetValue(call, out var held)) await held.Task.WaitAsync(cancellation);
        if (_faults.TryGetValue(call, out var fault)) throw fault.ToException();
    }

    private sealed class FakeShim(FakeMachine machine, string id) : IShim
    {
        public string Id => id;

        public TaskCompletionSource<ProcessExit> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsNative => true;

        public Task CreateSandboxAsync(SandboxCreate create, CancellationToken cancellation) =>
            machine.CallAsync("create-sandbox", cancellation);

        public async Task<uint> StartSandboxAsync(string sandboxId, CancellationToken cancellation)
        {
            await machine.CallAsync("start-sandbox", cancellation);
            machine.Things[$"sandbox {sandboxId}"] = true;
            return 42;
        }

        public Task<ProcessExit> WaitSandboxAsync(string sandboxId, CancellationToken cancellation) =>
            Ended.Task.WaitAsync(cancellation);

        public async Task StopSandboxAsync(string sandboxId, TimeSpan timeout, CancellationToken cancellation)
        {
            await machine.CallAsync("stop-sandbox", cancellation);
            machine.Things.TryRemove($"sandbox {sandboxId}", out _);
        }

        public async Task ShutdownAsync(string containerId, bool now, CancellationToken cancellation)
        {
            await machine.CallAsync("shutdown", cancellation);
            machine.Things.TryRemove($"shim {containerId}", out _);
        }

        public async Task<uint> CreateAsync(TaskCreate create, CancellationToken cancellation)
        {
            await machine.CallAsync("create-pause", cancellation);
            machine.Things[$"pause {create.Id}"] = true;
            return 43;
        }

        public async Task<uint> StartAsync(string containerId, string execId, CancellationToken cancellation)
        {
            await machine.CallAsync("start-pause", cancellation);
            return 43;
        }

        public async Task KillAsync(string containerId, string execId, uint signal, bool all, CancellationToken cancellation)
        {
            await machine.CallAsync("kill-pause", cancellation);
            Ended.TrySetResult(new ProcessExit(43, 137, DateTimeOffset.UnixEpoch));
        }

        public Task<ProcessExit> WaitAsync(string containerId, string execId, CancellationToken cancellation) =>
            machine.Things.ContainsKey($"pause {containerId}")
                ? Ended.Task.WaitAsync(cancellation)
                : throw new FaultException(FaultKind.NotFound, "task.not-found", "There is no such task.");

        public async Task<ProcessExit> DeleteAsync(string containerId, string execId, CancellationToken cancellation)
        {
            await machine.CallAsync("delete-pause", cancellation);
            machine.Things.TryRemove($"pause {containerId}", out _);
            return new ProcessExit(43, 137, DateTimeOffset.UnixEpoch);
        }

        public Task ExecAsync(ExecCreate exec, CancellationToken cancellation) => throw Unused();
        public Task<ProcessState> StateAsync(string containerId, string execId, CancellationToken cancellation) => throw Unused();
        public Task<ImmutableArray<uint>> PidsAsync(string containerId, CancellationToken cancellation) => throw Unused();
        public Task CheckpointAsync(string containerId, string imagePath, string workPath, CancellationToken cancellation) => throw Unused();

        public Task PauseAsync(string containerId, CancellationToken cancellation) => throw Unused();
        public Task ResumeAsync(string containerId, CancellationToken cancellation) => throw Unused();
        public Task UpdateAsync(string containerId, ReadOnlyMemory<byte> resourcesJson, CancellationToken cancellation) => throw Unused();
        public Task ResizeAsync(string containerId, string execId, uint width, uint height, CancellationToken cancellation) => throw Unused();
        public Task CloseStdinAsync(string containerId, string execId, CancellationToken cancellation) => throw Unused();
        public Task<(string TypeUrl, ReadOnlyMemory<byte> Value)> StatsAsync(string containerId, CancellationToken cancellation) => throw Unused();
        public Task<Socket> OpenStreamAsync(OpenStreamRequest request, CancellationToken cancellation) => throw Unused();
        public Task ReopenLogAsync(string containerId, CancellationToken cancellation) => throw Unused();

        private static InvalidOperationException Unused() => new("A sandbox has no business with tasks.");
    }
}
