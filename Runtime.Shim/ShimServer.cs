using System.Runtime;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Io;
using Runtime.Linux.Processes;
using Runtime.Shim.Bundles;
using Runtime.Shim.Commands;
using Runtime.Shim.Events;
using Runtime.Shim.Loops;
using Runtime.Shim.Rpc;
using Runtime.Shim.Sandboxes;
using Runtime.Shim.Tasks;
using Runtime.Ttrpc.Actord;
using Runtime.Ttrpc.Sandboxes;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim;

/// <summary>
/// The process that stays beside a pod. Two threads: the control loop (calls, exits, events) and the I/O loop (copying output), so
/// that neither a slow disk delays a call nor a call delays output.
/// </summary>
internal sealed class ShimServer : IDispatcher
{
    /// <summary>Number of the listener that <c>start</c> hands over.</summary>
    public const int ListenerDescriptor = 3;

    /// <summary>Signals that this process takes as descriptors; <c>start</c> has it begin with them blocked.</summary>
    public static IReadOnlyList<int> BlockedSignals { get; } = [Signals.SIGCHLD, Signals.SIGTERM, Signals.SIGINT];

    /// <summary>A shim that nobody uses or is connected to was left behind by a daemon that died in between.</summary>
    private const int UnusedMs = 5 * 60 * 1000;

    private const int IoStackBytes = 256 * 1024;
    private const int FarewellMs = 500;

    /// <summary>Some two hundred calls.</summary>
    private const long CollectEveryBytes = 1024 * 1024;

    private readonly ShimArguments _arguments;
    private readonly ShimLog _log;
    private readonly EventLoop _loop;
    private readonly EventLoop _io;
    private readonly Reaper _reaper = new();
    private readonly EventPublisher _events;
    private readonly TaskService _tasks;
    private readonly SandboxService _sandboxes;
    private readonly List<ShimConnection> _connections = [];
    private long _allocated;

    private ShimServer(ShimArguments arguments)
    {
        _arguments = arguments;
        _log = new ShimLog(arguments.Bundle, arguments.Debug);
        _loop = new EventLoop(_log) { Idle = CollectGarbage, Busy = CollectYoung };
        _io = new EventLoop(_log);
        var daemon = Environment.GetEnvironmentVariable("TTRPC_ADDRESS");
        if (string.IsNullOrEmpty(daemon))
            daemon = arguments.Address.Length > 0 ? $"{arguments.Address}.ttrpc" : "";
        var cgroups = CgroupHierarchy.Detect();
        _events = new EventPublisher(
            _loop, Ttrpc.Rpc.TtrpcClient.SocketPath(daemon), arguments.Namespace, TimeProvider.System, _log);
        _tasks = new TaskService(_loop, _io, _reaper, _events, cgroups, _log, arguments.Namespace,
            Path.GetDirectoryName(arguments.Socket)!, TimeProvider.System)
        { ShutDown = ShutDown };
        _sandboxes = new SandboxService(_loop, _reaper, cgroups, TimeProvider.System)
        {
            ShutDown = call =>
            {
                if (_tasks.Count > 0)
                    throw new FaultException(FaultKind.FailedPrecondition, "shim.busy", $"The shim holds {_tasks.Count} containers.");
                ShutDown(call);
            },
        };
    }

    public static int Run(ShimArguments arguments)
    {
        var server = new ShimServer(arguments);
        server.Serve();
        return 0;
    }

    public void Dispatch(Call call, string service, string method, WireReader payload)
    {
        _log.Debug($"{service}/{method}");
        switch (service)
        {
            case TaskService.ServiceV3 or TaskService.ServiceV2: _tasks.Dispatch(call, method, payload); break;
            case SandboxClient.Service: _sandboxes.Dispatch(call, method, payload); break;
            case ShimClient.Service when method == "ReopenLog":
                _tasks.ReopenLog(call, ReopenLogRequest.Read(payload).ContainerId);
                break;
            case ShimClient.Service when method == "OpenStream":
                _tasks.OpenStream(call, OpenStreamRequest.Read(payload));
                break;
            default:
                throw new FaultException(FaultKind.Unimplemented, "ttrpc.unknown-method", $"There is no {service}/{method} here.");
        }
    }

    private void Serve()
    {
        ProcessControl.BecomeSubreaper();
        using var signals = new Signals(Signals.SIGCHLD, Signals.SIGTERM, Signals.SIGINT);
        using var listener = RawIo.Inherited(ListenerDescriptor);
        _loop.Add(signals.Handle, EpollEvents.In, _ => TakeSignals(signals));
        _loop.Add(listener, EpollEvents.In, _ => Accept(listener));
        _loop.After(UnusedMs, EndIfUnused);
        new Thread(_io.Run, IoStackBytes) { IsBackground = true, Name = "io" }.Start();
        _log.Info($"Shim of {_arguments.Namespace}/{_arguments.Id}, process {Environment.ProcessId}, serves {_arguments.Socket}");
        _loop.Run();
    }

    private void Accept(SafeFileHandle listener)
    {
        while (UnixSocket.TryAccept(listener) is { } socket)
            _connections.Add(new ShimConnection(_loop, socket, this, ended => _connections.Remove(ended)));
    }

    private void TakeSignals(Signals signals)
    {
        for (var signal = signals.TryTake(); signal != 0; signal = signals.TryTake())
        {
            if (signal == Signals.SIGCHLD)
                _reaper.ReapAll();
            else if (_tasks.Count == 0 && _sandboxes.IsEmpty)
                End();
            else
                _log.Warning($"Signal {signal} is ignored: there are containers.");
        }
    }

    private void EndIfUnused()
    {
        if (_tasks.Count == 0 && _sandboxes.IsEmpty && _connections.Count == 0)
            End();
        else
            _loop.After(UnusedMs, EndIfUnused);
    }

    private void ShutDown(Call call)
    {
        _sandboxes.KillAll();
        // Later starts must not join a shim that is about to end.
        BundleFiles.Remove(_arguments.Socket);
        call.Done();
        var deadline = Environment.TickCount64 + FarewellMs;
        Leave();

        // The last events, if the daemon takes them.
        void Leave()
        {
            if (_events.IsEmpty || Environment.TickCount64 >= deadline)
                End();
            else
                _loop.After(10, Leave);
        }
    }

    private void End()
    {
        BundleFiles.Remove(_arguments.Socket);
        _log.Info("The shim ends.");
        _io.Post(_io.Stop);
        _loop.Stop();
    }

    /// <summary>The collector's own first collection comes after tens of megabytes; a burst of execs must not reach that.</summary>
    private void CollectYoung()
    {
        var allocated = GC.GetTotalAllocatedBytes();
        if (allocated - _allocated < CollectEveryBytes)
            return;
        _allocated = allocated;
        GC.Collect(1, GCCollectionMode.Forced, blocking: true, compacting: true);
    }

    /// <summary>Gives back what a burst of calls took; an idle shim is measured in single megabytes.</summary>
    private void CollectGarbage()
    {
        _allocated = GC.GetTotalAllocatedBytes();
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
