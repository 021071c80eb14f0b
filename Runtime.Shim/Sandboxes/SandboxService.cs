using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Processes;
using Runtime.Shim.Bundles;
using Runtime.Shim.Loops;
using Runtime.Shim.Rpc;
using Runtime.Shim.Tasks;
using Runtime.Ttrpc.Sandboxes;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Sandboxes;

/// <summary>containerd.runtime.sandbox.v1.Sandbox, for the one pod that this shim may serve. On the control loop only.</summary>
internal sealed class SandboxService(EventLoop loop, Reaper reaper, CgroupHierarchy cgroups, TimeProvider clock)
{
    private PodSandbox? _sandbox;
    private bool _isStarting;

    public bool IsEmpty => _sandbox is null;

    /// <summary>Called for ShutdownSandbox; it must answer.</summary>
    public Action<Call>? ShutDown { get; set; }

    public void Dispatch(Call call, string method, WireReader payload)
    {
        switch (method)
        {
            case "CreateSandbox": Create(call, CreateSandboxRequest.Read(payload)); break;
            case "StartSandbox": Start(call, SandboxRequest.Read(payload)); break;
            case "StopSandbox": Stop(call, StopSandboxRequest.Read(payload)); break;
            case "WaitSandbox": Wait(call, SandboxRequest.Read(payload)); break;
            case "SandboxStatus": Status(call, SandboxStatusRequest.Read(payload)); break;
            case "PingSandbox": call.Done(); break;
            case "Platform": Platform(call); break;
            case "ShutdownSandbox": Shutdown(call, SandboxRequest.Read(payload)); break;
            default:
                throw new FaultException(FaultKind.Unimplemented, "ttrpc.unknown-method", $"The sandbox service has no method {method}.");
        }
    }

    /// <summary>At the shim's end: nothing of the pod may stay.</summary>
    public void KillAll()
    {
        if (_sandbox is { InitPid: > 0, EndedAt: null } sandbox)
            ProcessControl.TrySignal(sandbox.InitPid, Signals.SIGKILL);
        _sandbox?.Thread?.Stop();
    }

    private PodSandbox Find(string id) => _sandbox is { } sandbox && sandbox.Id == id
        ? sandbox
        : throw new FaultException(FaultKind.NotFound, "sandbox.not-found", $"Sandbox {id} is not created.");

    private void Create(Call call, CreateSandboxRequest request)
    {
        if (_sandbox is not null)
            throw new FaultException(FaultKind.AlreadyExists, "sandbox.exists", $"This shim serves sandbox {_sandbox.Id} already.");
        if (request.SandboxId.Length == 0)
            throw new FaultException(FaultKind.InvalidArgument, "sandbox.bad-id", "A sandbox needs an id.");
        _sandbox = new PodSandbox(request);
        call.Done();
    }

    private void Start(Call call, SandboxRequest request)
    {
        var sandbox = Find(request.SandboxId);
        if (sandbox.StartedAt is not null)
        {
            if (!sandbox.IsReady)
                throw new FaultException(FaultKind.FailedPrecondition, "sandbox.ended", $"Sandbox {sandbox.Id} has ended.");
            call.Reply(new StartSandboxResponse { Pid = (uint)sandbox.Pid, CreatedAt = sandbox.StartedAt });
            return;
        }
        if (_isStarting)
            throw new FaultException(FaultKind.FailedPrecondition, "sandbox.starting", $"Sandbox {sandbox.Id} is being started.");
        if (sandbox.NetworkPath.Length == 0 && !sandbox.HasSharedPids)
        {
            Started(call, sandbox, Environment.ProcessId, 0);
            return;
        }
        _isStarting = true;
        reaper.Expect();
        sandbox.Thread = PodThread.Start(loop, sandbox, (thread, init, fault) =>
        {
            _isStarting = false;
            if (fault is not null)
            {
                sandbox.Thread = null;
                call.Refuse(fault);
            }
            else
                Started(call, sandbox, init > 0 ? init : thread, init);
            reaper.ExpectNoMore();
        });
    }

    private void Started(Call call, PodSandbox sandbox, int pid, int init)
    {
        (sandbox.Pid, sandbox.InitPid, sandbox.StartedAt) = (pid, init, clock.GetUtcNow());
        if (init > 0)
        {
            reaper.Ask(init, exit => Ended(sandbox, exit.Code));
            // The thread was needed for the start only: pid 1 is in the same namespaces.
            sandbox.Thread?.Stop();
            try
            {
                BundleFiles.Write(Path.Combine(sandbox.Bundle, BundleFiles.PodInitPid), init.ToString(CultureInfo.InvariantCulture));
                if (sandbox.CgroupPath.Trim('/').Length > 0)
                    cgroups.AddProcess(sandbox.CgroupPath, init);
            }
            catch (FaultException failed)
            {
                ProcessControl.TrySignal(init, Signals.SIGKILL);
                call.Refuse(failed.Fault);
                return;
            }
        }
        call.Reply(new StartSandboxResponse { Pid = (uint)pid, CreatedAt = sandbox.StartedAt });
    }

    private void Ended(PodSandbox sandbox, int code)
    {
        if (sandbox.EndedAt is not null)
            return;
        (sandbox.ExitCode, sandbox.EndedAt) = (code, clock.GetUtcNow());
        sandbox.Thread?.Stop();
        foreach (var call in sandbox.Waiting)
            call.Reply(new WaitResponse { ExitStatus = (uint)code, ExitedAt = sandbox.EndedAt });
        sandbox.Waiting.Clear();
    }

    private void Stop(Call call, StopSandboxRequest request)
    {
        var sandbox = Find(request.SandboxId);
        if (sandbox.InitPid == 0 || sandbox.EndedAt is not null)
        {
            Ended(sandbox, 0);
            call.Done();
            return;
        }
        sandbox.Waiting.RemoveAll(static waiting => waiting.IsGone);
        ProcessControl.TrySignal(sandbox.InitPid, Signals.SIGTERM);
        Await(TimeSpan.FromSeconds(Math.Max(1u, Math.Min(request.TimeoutSecs, 600))));

        void Await(TimeSpan grace)
        {
            var deadline = Environment.TickCount64 + (long)grace.TotalMilliseconds;
            Check();

            void Check()
            {
                if (sandbox.EndedAt is not null)
                {
                    call.Done();
                    return;
                }
                if (Environment.TickCount64 >= deadline)
                    ProcessControl.TrySignal(sandbox.InitPid, Signals.SIGKILL);
                loop.After(10, Check);
            }
        }
    }

    private void Wait(Call call, SandboxRequest request)
    {
        var sandbox = Find(request.SandboxId);
        if (sandbox.EndedAt is not null)
        {
            call.Reply(new WaitResponse { ExitStatus = (uint)sandbox.ExitCode, ExitedAt = sandbox.EndedAt });
            return;
        }
        sandbox.Waiting.RemoveAll(static waiting => waiting.IsGone);
        sandbox.Waiting.Add(call);
    }

    private void Status(Call call, SandboxStatusRequest request)
    {
        var sandbox = Find(request.SandboxId);
        call.Reply(new SandboxStatusResponse
        {
            SandboxId = sandbox.Id,
            Pid = (uint)sandbox.Pid,
            State = sandbox.IsReady ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
            CreatedAt = sandbox.StartedAt,
            ExitedAt = sandbox.EndedAt,
            Info = request.Verbose
                ? ImmutableSortedDictionary<string, string>.Empty.Add("shimPid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
                : ImmutableSortedDictionary<string, string>.Empty,
        });
    }

    private static void Platform(Call call) => call.Reply(new PlatformResponse
    {
        Platform = new()
        {
            Os = "linux",
            Architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64",
        },
    });

    private void Shutdown(Call call, SandboxRequest request)
    {
        if (_sandbox is not null)
            Find(request.SandboxId);
        ShutDown?.Invoke(call);
    }
}
