using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Network;
using Runtime.Actors.Shims;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <summary>Runs one sandbox's effects. A start's two run at once; those that undo wait until neither does.</summary>
internal sealed partial class SandboxSteps(
    NamespaceName space, SandboxOptions options, SandboxPorts ports, TimeProvider clock) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _startCancelled = new();
    private readonly List<Task> _starts = [];
    private readonly SemaphoreSlim _undoing = new(1);
    private Task? _pinning;
    private CancellationTokenSource _wake = new();

    public async Task<object?> RunAsync(IEffect effect, CancellationToken stopping) => effect switch
    {
        AttachNetwork attach => await StartingAsync(cancellation => AttachAsync(attach.Plan, cancellation), stopping),
        StartShim start => await StartingAsync(cancellation => StartShimAsync(start, cancellation), stopping),
        WatchSandbox watch => await WatchAsync(watch.Plan, stopping),
        ReleaseSandbox release => await UndoingAsync(() => ReleaseAsync(release.Plan, release.Attached, stopping), stopping),
        TearDown undo => await UndoingAsync(() => TearDownAsync(undo.Plan, undo.Attached, stopping), stopping),
        RetryLater retry => await SleepAsync(retry.After, stopping),
        ExpireUntaken expire => await PassAsync(expire.Limit, stopping),
        NoticeReboot => null,
        _ => throw new FaultException(FaultKind.Internal, "sandbox.unknown-effect", $"A sandbox cannot run {effect.GetType().Name}."),
    };

    /// <summary>Called on the actor's thread before a pause begins, so that no <see cref="Wake"/> after that is missed.</summary>
    public void ExpectSleep()
    {
        lock (_gate)
        {
            if (!_wake.IsCancellationRequested) return;
            _wake.Dispose();
            _wake = new CancellationTokenSource();
        }
    }

    /// <summary>Ends the pause that was announced last.</summary>
    public void Wake()
    {
        lock (_gate) _wake.Cancel();
    }

    public void Dispose()
    {
        _startCancelled.Dispose();
        _wake.Dispose();
        _undoing.Dispose();
    }

    private static ImmutableArray<KeyValuePair<string, string>> CniArgs(SandboxPlan plan) =>
    [
        new("IgnoreUnknown", "1"),
        new("K8S_POD_NAMESPACE", plan.Config.PodNamespace),
        new("K8S_POD_NAME", plan.Config.Name),
        new("K8S_POD_INFRA_CONTAINER_ID", plan.Id),
        new("K8S_POD_UID", plan.Config.Uid),
    ];

    private string ConfDirOf(SandboxPlan plan) => HandlerOf(plan)?.CniConfDir ?? "";

    /// <summary>Null when the configuration has lost it since: the sandbox can still be stopped and removed.</summary>
    private RuntimeHandler? HandlerOf(SandboxPlan plan) => options.Handlers.ByName.GetValueOrDefault(plan.RuntimeHandler);

    private async Task<object?> AttachAsync(SandboxPlan plan, CancellationToken cancellation)
    {
        await PinOnceAsync(plan);
        cancellation.ThrowIfCancellationRequested();
        var capabilities = new CniCapabilities
        {
            PortMappings = plan.Config.PortMappings,
            Bandwidth = BandwidthAnnotations.Parse(plan.Config.Annotations),
            Dns = plan.Config.Dns,
            CgroupPath = plan.CgroupPath,
            PodAnnotations = plan.Config.Annotations,
        };
        var attached = await ports.Network.AddAsync(
            new CniAttach(plan.Id, plan.NetworkNamespacePath, CniArgs(plan), capabilities, ConfDirOf(plan)), cancellation);
        return new NetworkOutcome(attached.Ips, attached.ResultJson);
    }

    private async Task<object?> StartShimAsync(StartShim start, CancellationToken cancellation)
    {
        var plan = start.Plan;
        if (start.Again) await EndShimAsync(plan, cancellation);
        var pinning = PinOnceAsync(plan);
        ports.Resources.Prepare(plan);
        var pause = plan.HasPause ? await ports.Pauses.PrepareAsync(plan, cancellation) : [];
        cancellation.ThrowIfCancellationRequested();
        var handler = options.Handlers.Resolve(plan.RuntimeHandler);
        var type = handler.RuntimePath.Length > 0 ? handler.RuntimePath : handler.RuntimeType;
        var shim = await LimitedAsync(
            limited => ports.Shims.StartAsync(new ShimStart(space, plan.Id, plan.Id, type, handler.Options), limited), cancellation);
        await pinning;
        cancellation.ThrowIfCancellationRequested();
        var create = new SandboxCreate(
            plan.Id, plan.Bundle, plan.NetworkNamespacePath, plan.Config.Security.Pid == NamespaceMode.Pod && !plan.HasPause,
            plan.IpcNamespacePath, plan.UtsNamespacePath, plan.CgroupPath)
        {
            UserNamespacePath = plan.UserNamespacePath ?? "",
        };
        await LimitedAsync(limited => shim.CreateSandboxAsync(create, limited), cancellation);
        var pid = await LimitedAsync(limited => shim.StartSandboxAsync(plan.Id, limited), cancellation);
        if (!plan.HasPause) return pid;
        var task = new TaskCreate(plan.Id, plan.Bundle, pause, "", "", "", Terminal: false, handler.Options);
        await LimitedAsync(limited => shim.CreateAsync(task, limited), cancellation);
        return await LimitedAsync(limited => shim.StartAsync(plan.Id, "", limited), cancellation);
    }

    /// <summary>Both halves of a start need the namespaces; who comes first makes them.</summary>
    private Task PinOnceAsync(SandboxPlan plan)
    {
        lock (_gate) return _pinning ??= Task.Run(() => ports.Resources.Pin(plan));
    }

    private async Task<object?> WatchAsync(SandboxPlan plan, CancellationToken stopping)
    {
        if (ports.Resources.Missing(plan) is { Length: > 0 } missing) return $"{missing} is gone.";
        try
        {
            var shim = await LimitedAsync(limited => ports.Shims.ConnectAsync(space, plan.Id, limited), stopping);
            var exit = plan.HasPause
                ? await shim.WaitAsync(plan.Id, "", stopping)
                : await shim.WaitSandboxAsync(plan.Id, stopping);
            return $"The sandbox's process {exit.Pid} ended with code {exit.Code}.";
        }
        catch (FaultException dead) when (dead.Fault.Code == "shim.dead")
        {
            return "The pod's shim died.";
        }
    }

    private async Task<object?> SleepAsync(TimeSpan time, CancellationToken stopping)
    {
        CancellationToken woken;
        lock (_gate) woken = _wake.Token;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(woken, stopping);
        try
        {
            await Task.Delay(time, clock, either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Woken: that is what it was for.
        }
        return null;
    }

    private async Task<object?> PassAsync(TimeSpan time, CancellationToken stopping)
    {
        await Task.Delay(time, clock, stopping);
        return null;
    }

    private async Task<object?> StartingAsync(Func<CancellationToken, Task<object?>> start, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_startCancelled.Token, stopping);
        Task<object?> running;
        lock (_gate) _starts.Add(running = start(either.Token));
        return await running;
    }

    private async Task<object?> UndoingAsync(Func<Task> undo, CancellationToken stopping)
    {
        await _startCancelled.CancelAsync();
        Task[] starts;
        lock (_gate) starts = [.. _starts, _pinning ?? Task.CompletedTask];
        // How they ended was reported where they were started.
        await Task.WhenAll(starts).ContinueWith(_ => { }, TaskScheduler.Default);
        await _undoing.WaitAsync(stopping);
        try
        {
            await undo();
            return null;
        }
        finally
        {
            _undoing.Release();
        }
    }

    private async Task<T> LimitedAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(options.ShimTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            return await call(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.DeadlineExceeded, "shim.timeout",
                $"The shim did not answer within {options.ShimTimeout.TotalSeconds:0} s.");
        }
    }

    private Task<bool> LimitedAsync(Func<CancellationToken, Task> call, CancellationToken cancellation) => LimitedAsync(
        async limited =>
        {
            await call(limited);
            return true;
        },
        cancellation);
}
