using System.Collections.Immutable;
using System.Net.Sockets;
using Runtime.Faults;
using Runtime.Ttrpc.Actord;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Sandboxes;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.Shims;

/// <summary>A shim behind its ttrpc socket, on behalf of one namespace.</summary>
/// <param name="version">Of the task API.</param>
/// <param name="binary">Path of the shim's program.</param>
internal sealed class TtrpcShim(
    ShimConnection connection, int version, string binary, string space, ShimOptions options, TimeProvider clock) : IShim
{
    private const string ProcessUrl = "types.containerd.io/opencontainers/runtime-spec/1/Process";
    private const string RuncOptionsUrl = "containerd.runc.v1.Options";

    private readonly CallOptions _asking = new(space, options.StateTimeout);
    private readonly CallOptions _acting = new(space, options.CallTimeout);
    private readonly CallOptions _waiting = new(space);

    public bool IsNative => ShimBinaries.IsNative(binary);

    /// <summary>The OCI runtime's own state goes with ours unless the configuration says where: two daemons do not mix.</summary>
    public static WireAny Pack(RuncOptions runc, ShimOptions options) => WireAny.Pack(RuncOptionsUrl, new RuncOptionsMessage
    {
        BinaryName = runc.BinaryName,
        Root = runc.Root.Length > 0 ? runc.Root : RuncRoot(options),
        SystemdCgroup = runc.SystemdCgroup,
        NoPivotRoot = runc.NoPivotRoot,
        NoNewKeyring = runc.NoNewKeyring,
        ShimCgroup = runc.ShimCgroup,
        CriuPath = runc.CriuPath,
        IoUid = runc.IoUid,
        IoGid = runc.IoGid,
    });

    /// <summary>What a shim gets: what the client gave, or what the configuration has. Null for none.</summary>
    public static WireAny? OptionsFor(string binary, ShimOptionsGiven? given, RuncOptions runc, ShimOptions options) => given switch
    {
        null => Pack(runc, options),
        { Value: null } => ShimBinaries.TakesRuncOptions(binary) ? Pack(new RuncOptions(), options) : null,
        { Value: { TypeName: RuncOptionsUrl } own } when RuncOptionsMessage.Read(new WireReader(own.Value.Span)) is { Root.Length: 0 } message =>
            WireAny.Pack(RuncOptionsUrl, message with { Root = RuncRoot(options) }),
        { Value: { } own } => own,
    };

    public Task<uint> CreateAsync(TaskCreate create, CancellationToken cancellation)
    {
        var request = new CreateTaskRequest
        {
            Id = create.Id,
            Bundle = create.Bundle,
            Rootfs = create.Rootfs,
            Terminal = create.Terminal,
            Stdin = create.Stdin,
            Stdout = create.Stdout,
            Stderr = create.Stderr,
            Checkpoint = create.Checkpoint,
            Options = OptionsFor(binary, create.Given, create.Options, options),
        };
        return TaskAsync(task => task.CreateAsync(request, _acting, cancellation), cancellation);
    }

    public Task<uint> StartAsync(string id, string execId, CancellationToken cancellation) =>
        TaskAsync(task => task.StartAsync(id, execId, _acting, cancellation), cancellation);

    public Task ExecAsync(ExecCreate exec, CancellationToken cancellation)
    {
        var request = new ExecProcessRequest
        {
            Id = exec.Id,
            ExecId = exec.ExecId,
            Terminal = exec.Terminal,
            Stdin = exec.Stdin,
            Stdout = exec.Stdout,
            Stderr = exec.Stderr,
            Spec = new WireAny(ProcessUrl, exec.SpecJson),
        };
        return TaskAsync(task => task.ExecAsync(request, _acting, cancellation), cancellation);
    }

    public Task KillAsync(string id, string execId, uint signal, bool all, CancellationToken cancellation) => TaskAsync(
        task => task.KillAsync(new KillRequest { Id = id, ExecId = execId, Signal = signal, All = all }, _acting, cancellation), cancellation);

    public async Task<ProcessExit> WaitAsync(string id, string execId, CancellationToken cancellation) =>
        ExitOf(0, await AgainAsync(task => task.WaitAsync(id, execId, _waiting, cancellation), cancellation));

    public async Task<ProcessState> StateAsync(string id, string execId, CancellationToken cancellation)
    {
        var state = await AgainAsync(task => task.StateAsync(id, execId, _asking, cancellation), cancellation);
        var status = (ProcessStatus)state.Status;
        var exit = status == ProcessStatus.Stopped ? new ProcessExit(state.Pid, state.ExitStatus, state.ExitedAt ?? clock.GetUtcNow()) : null;
        return new ProcessState(state.Id, state.ExecId, state.Pid, status, exit);
    }

    public async Task<ProcessExit> DeleteAsync(string id, string execId, CancellationToken cancellation)
    {
        var deleted = await TaskAsync(task => task.DeleteAsync(id, execId, _acting, cancellation), cancellation);
        return new ProcessExit(deleted.Pid, deleted.ExitStatus, deleted.ExitedAt ?? clock.GetUtcNow());
    }

    public async Task<ImmutableArray<TaskProcess>> ProcessesAsync(string id, CancellationToken cancellation) =>
        (await AgainAsync(task => task.PidsAsync(id, _asking, cancellation), cancellation)).Processes;

    public Task PauseAsync(string id, CancellationToken cancellation) =>
        TaskAsync(task => task.PauseAsync(id, _acting, cancellation), cancellation);

    public Task ResumeAsync(string id, CancellationToken cancellation) =>
        TaskAsync(task => task.ResumeAsync(id, _acting, cancellation), cancellation);

    public Task UpdateAsync(
        string id, WireAny resources, ImmutableSortedDictionary<string, string> annotations, CancellationToken cancellation)
    {
        var request = new UpdateTaskRequest { Id = id, Resources = resources, Annotations = annotations };
        return TaskAsync(task => task.UpdateAsync(request, _acting, cancellation), cancellation);
    }

    public Task CheckpointAsync(string id, string directory, WireAny? checkpoint, CancellationToken cancellation)
    {
        var request = new CheckpointTaskRequest { Id = id, Path = directory, Options = checkpoint };
        return TaskAsync(task => task.CheckpointAsync(request, _waiting, cancellation), cancellation);
    }

    public Task ResizeAsync(string id, string execId, uint width, uint height, CancellationToken cancellation)
    {
        var request = new ResizePtyRequest { Id = id, ExecId = execId, Width = width, Height = height };
        return TaskAsync(task => task.ResizePtyAsync(request, _asking, cancellation), cancellation);
    }

    public Task CloseStdinAsync(string id, string execId, CancellationToken cancellation) =>
        TaskAsync(task => task.CloseStdinAsync(id, execId, _acting, cancellation), cancellation);

    public async Task<(string TypeUrl, ReadOnlyMemory<byte> Value)> StatsAsync(string id, CancellationToken cancellation)
    {
        var stats = await AgainAsync(task => task.StatsAsync(id, _asking, cancellation), cancellation);
        return (stats.TypeUrl, stats.Value);
    }

    public Task<Socket> OpenStreamAsync(OpenStreamRequest request, CancellationToken cancellation) =>
        StreamConnection.OpenAsync(connection.Address, request, space, options.CallTimeout, cancellation);

    public async Task ReopenLogAsync(string id, CancellationToken cancellation)
    {
        var client = await connection.GetAsync(cancellation);
        await MappedAsync(async () =>
        {
            await new ShimClient(client).ReopenLogAsync(id, _acting, cancellation);
            return true;
        }, cancellation);
    }

    public Task CreateSandboxAsync(SandboxCreate create, CancellationToken cancellation)
    {
        var annotations = ImmutableSortedDictionary.CreateBuilder<string, string>();
        if (create.SharedPidNamespace) annotations[SandboxAnnotations.SharedPid] = "true";
        Add(SandboxAnnotations.UserNamespace, create.UserNamespacePath);
        Add(SandboxAnnotations.IpcNamespace, create.IpcNamespacePath);
        Add(SandboxAnnotations.UtsNamespace, create.UtsNamespacePath);
        Add(SandboxAnnotations.CgroupPath, create.CgroupPath);
        var request = new CreateSandboxRequest
        {
            SandboxId = create.SandboxId,
            BundlePath = create.Bundle,
            NetnsPath = create.NetworkNamespacePath,
            Annotations = annotations.ToImmutable(),
        };
        return SandboxAsync(async sandbox =>
        {
            await sandbox.CreateAsync(request, _acting, cancellation);
            return true;
        }, cancellation);

        void Add(string name, string value)
        {
            if (value.Length > 0) annotations[name] = value;
        }
    }

    public async Task<uint> StartSandboxAsync(string sandboxId, CancellationToken cancellation) =>
        (await SandboxAsync(sandbox => sandbox.StartAsync(sandboxId, _acting, cancellation), cancellation)).Pid;

    public async Task<ProcessExit> WaitSandboxAsync(string sandboxId, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return ExitOf(0, await SandboxAsync(sandbox => sandbox.WaitAsync(sandboxId, _waiting, cancellation), cancellation));
            }
            catch (FaultException lost) when (lost.Fault.Code == "shim.disconnected")
            {
                // The shim lives: wait again on a new connection.
            }
        }
    }

    public Task StopSandboxAsync(string sandboxId, TimeSpan timeout, CancellationToken cancellation) => SandboxAsync(
        async sandbox =>
        {
            await sandbox.StopAsync(sandboxId, timeout, _acting with { Timeout = options.CallTimeout + timeout }, cancellation);
            return true;
        },
        cancellation);

    public Task ShutdownAsync(string id, bool now, CancellationToken cancellation) =>
        TaskAsync(task => task.ShutdownAsync(id, now, _acting, cancellation), cancellation);

    private static string RuncRoot(ShimOptions options) => Path.Combine(options.Directories.State, "runc");

    private ProcessExit ExitOf(uint pid, WaitResponse exit) => new(pid, exit.ExitStatus, exit.ExitedAt ?? clock.GetUtcNow());

    private async Task TaskAsync(Func<TaskClient, Task> call, CancellationToken cancellation) => await TaskAsync(
        async task =>
        {
            await call(task);
            return true;
        },
        cancellation);

    private async Task<T> TaskAsync<T>(Func<TaskClient, Task<T>> call, CancellationToken cancellation)
    {
        var client = await connection.GetAsync(cancellation);
        return await MappedAsync(() => call(new TaskClient(client, version)), cancellation);
    }

    private async Task<T> SandboxAsync<T>(Func<SandboxClient, Task<T>> call, CancellationToken cancellation)
    {
        var client = await connection.GetAsync(cancellation);
        return await MappedAsync(() => call(new SandboxClient(client)), cancellation);
    }

    /// <summary>For calls that change nothing: made again as long as the shim takes new connections.</summary>
    private async Task<T> AgainAsync<T>(Func<TaskClient, Task<T>> call, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await TaskAsync(call, cancellation);
            }
            catch (FaultException lost) when (lost.Fault.Code == "shim.disconnected")
            {
                // GetAsync has connected again meanwhile, or said that the shim is dead.
            }
        }
    }

    /// <summary>A connection that broke in the middle of a call: does the shim live?</summary>
    private async Task<T> MappedAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await call();
        }
        catch (FaultException broken) when (broken.Fault.Code == "ttrpc.closed")
        {
            await connection.GetAsync(cancellation);
            throw new FaultException(FaultKind.Unavailable, "shim.disconnected",
                $"The connection to the shim at {connection.Address} broke during the call; whether it took place is not known.", broken);
        }
    }
}
