using Runtime.Faults;
using Runtime.Linux.Io;
using Runtime.Linux.Mounts;
using Runtime.Shim.Bundles;
using Runtime.Shim.Oci;
using Runtime.Shim.Rpc;
using Runtime.Shim.Streams;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    private const string LogFile = "log.json";

    /// <summary>
    /// 1. mounts the rootfs, 2. opens the streams, 3. runs <c>create</c>, 4. takes the terminal, 5. watches the init process and its
    /// cgroup. A failure undoes what was done.
    /// </summary>
    private void Create(Call call, CreateTaskRequest request)
    {
        if (_containers.ContainsKey(request.Id))
            throw new FaultException(FaultKind.AlreadyExists, "task.exists", $"Container {request.Id} is created already.");
        if (request.Id.Length == 0 || request.Id.Contains('/') || request.Bundle.Length == 0)
            throw new FaultException(FaultKind.InvalidArgument, "task.bad-id", "A container needs an id and a bundle.");
        var options = OptionsOf(request.Options);
        var spec = BundleSpec.TryRead(request.Bundle)
            ?? throw new FaultException(FaultKind.NotFound, "bundle.no-spec", $"{request.Bundle} has no config.json.");
        var runtime = OciRuntime.For(options, space, request.Bundle);
        runtime.Save();
        var targets = new StreamTargets(request.Stdin, request.Stdout, request.Stderr, request.Terminal);
        var container = new Container(request.Id, request.Bundle, runtime, options, new ContainerProcess("", targets), spec)
        {
            Checkpoint = request.Checkpoint,
        };
        _containers.Add(request.Id, container);
        container.TakeTurn(() => Worker.Run(loop, () => MountRootfs(container, request), fault =>
        {
            if (fault is null)
                WithLogger(container, container.Init, refused => RunCreate(call, container, request, refused));
            else
                UndoCreate(call, container, fault);
        }));
    }

    /// <summary>Options of another type are for another runtime; they have nothing for us.</summary>
    private static RuncOptionsMessage OptionsOf(WireAny? options) =>
        options is { TypeName: "containerd.runc.v1.Options" } ? RuncOptionsMessage.Read(new WireReader(options.Value.Span)) : new();

    private static void MountRootfs(Container container, CreateTaskRequest request)
    {
        if (request.Rootfs.IsEmpty)
            return;
        Directory.CreateDirectory(container.RootfsPath);
        Mounter.MountAll(request.Rootfs, container.RootfsPath);
    }

    private void RunCreate(Call call, Container container, CreateTaskRequest request, RuntimeFault? refused)
    {
        var (options, init) = (container.Options, container.Init);
        ConsoleListener? console = null;
        try
        {
            if (refused is not null)
                throw refused.ToException();
            init.Streams = new ProcessStreams(loop, io, init.Targets, options.IoUid, options.IoGid, logger: init.Logger);
            if (container.Checkpoint.Length > 0)
            {
                // Nothing runs until the start restores it.
                EndCreate(call, container, request);
                container.EndTurn();
                return;
            }
            console = init.Targets.IsTerminal ? OpenConsole() : null;
            List<string> arguments = ["create", "--bundle", container.Bundle, "--pid-file", Path.Combine(container.Bundle, BundleFiles.InitPid)];
            if (console is not null)
                arguments.AddRange(["--console-socket", console.Path]);
            if (options.NoPivotRoot)
                arguments.Add("--no-pivot");
            if (options.NoNewKeyring)
                arguments.Add("--no-new-keyring");
            arguments.Add(container.Id);
            reaper.Expect();
            container.Runtime.Run(reaper, LogFile, arguments, fault => Created(call, container, request, console, fault),
                init.Streams.ChildStdin, init.Streams.ChildStdout, init.Streams.ChildStderr);
        }
        catch (FaultException failed)
        {
            console?.Dispose();
            UndoCreate(call, container, failed.Fault);
        }
    }

    private void Created(Call call, Container container, CreateTaskRequest request, ConsoleListener? console, RuntimeFault? fault)
    {
        var init = container.Init;
        try
        {
            if (fault is not null)
                throw fault.ToException();
            StartStreams(init, console?.Take());
            init.Pid = BundleFiles.ReadPid(Path.Combine(container.Bundle, BundleFiles.InitPid));
            if (init.Pid == 0)
                throw new FaultException(FaultKind.Internal, "oci.no-pid", $"The OCI runtime wrote no pid of container {container.Id}.");
        }
        catch (FaultException failed)
        {
            reaper.ExpectNoMore();
            UndoCreate(call, container, failed.Fault);
            return;
        }
        finally
        {
            console?.Dispose();
        }
        WatchMemory(container);
        EndCreate(call, container, request);
        reaper.Ask(init.Pid, exit => OnExit(container, init, exit));
        reaper.ExpectNoMore();
        container.EndTurn();
    }

    private void EndCreate(Call call, Container container, CreateTaskRequest request)
    {
        var init = container.Init;
        init.Phase = ProcessPhase.Created;
        events.Publish(TaskTopics.Create, new TaskCreateEvent
        {
            ContainerId = container.Id,
            Bundle = container.Bundle,
            Rootfs = request.Rootfs,
            Io = new() { Stdin = request.Stdin, Stdout = request.Stdout, Stderr = request.Stderr, Terminal = request.Terminal },
            Checkpoint = request.Checkpoint,
            Pid = (uint)init.Pid,
        });
        call.Reply(new PidResponse { Pid = (uint)init.Pid });
    }

    /// <summary>A runtime that failed half-way leaves its state, or even the process.</summary>
    private void UndoCreate(Call call, Container container, RuntimeFault fault)
    {
        container.Init.Streams?.Dispose();
        container.Init.Logger?.Dispose();
        EndLogger(container.Init);
        try
        {
            container.Runtime.Run(reaper, "delete-" + LogFile, ["delete", "--force", container.Id], _ => Unmount());
        }
        catch (FaultException)
        {
            Unmount(); // there is no runtime: so it left nothing
        }

        void Unmount() => Worker.Run(loop, () => Mounter.UnmountAll(container.RootfsPath, lazy: true), _ =>
        {
            _containers.Remove(container.Id);
            EndWaits(container.Init);
            call.Refuse(fault);
            container.EndTurn();
        });
    }

    private void WatchMemory(Container container)
    {
        try
        {
            container.CgroupPath = cgroups.PathOf(container.Init.Pid) ?? "";
            if (container.CgroupPath.Trim('/').Length > 0)
                container.Oom = new OomWatch(cgroups, container.CgroupPath, loop, () =>
                    events.Publish(TaskTopics.Oom, new TaskContainerEvent { ContainerId = container.Id }));
        }
        catch (FaultException failed)
        {
            log.Warning($"Container {container.Id}: the OOM killer is not watched: {failed.Message}");
        }
    }

    private ConsoleListener OpenConsole() =>
        new(Path.Combine(socketDirectory, $"tty-{Environment.ProcessId}-{++_consoleCount}"));

    /// <summary>The socket that an OCI runtime sends the terminal's master to, before it ends.</summary>
    private sealed class ConsoleListener : IDisposable
    {
        private readonly Microsoft.Win32.SafeHandles.SafeFileHandle _listener;

        public ConsoleListener(string path)
        {
            Path = path;
            BundleFiles.Remove(path);
            _listener = UnixSocket.TryListen(path)
                ?? throw new FaultException(FaultKind.AlreadyExists, "process.console-taken", $"The console socket {path} is in use.");
        }

        public string Path { get; }

        /// <summary>The runtime has ended, so the master is here or never comes.</summary>
        public Microsoft.Win32.SafeHandles.SafeFileHandle Take()
        {
            using var connection = UnixSocket.TryAccept(_listener);
            var master = connection is null ? null : UnixSocket.TryReceiveDescriptor(connection);
            return master ?? throw new FaultException(FaultKind.Internal, "oci.no-terminal", "The OCI runtime sent no terminal.");
        }

        public void Dispose()
        {
            _listener.Dispose();
            BundleFiles.Remove(Path);
        }
    }
}
