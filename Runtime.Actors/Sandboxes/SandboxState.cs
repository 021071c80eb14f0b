using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <summary>One sandbox. Pure.</summary>
/// <remarks>
/// <code>
/// None --run--> Starting --network attached, shim started--> Ready &lt;--retry-- Untaken
///                  |                                          |  \--nobody was there--^   |
///                  |                                          |--shim died--> Lost        |
///                  |                                          v--stop--------v            |
///                  |                                       Stopping --> Stopped           |
///                  |                                          |            |              |
///                  '--failed, stop, remove--> Removing &lt;----remove---------'&lt;--expired----'
///                                                |
///                                             Removed
/// </code>
/// Stopping and Removing never give up: an attempt that fails answers those who wait, and the next one follows by itself.
/// So there is always exactly one attempt, or the pause before it, in flight, and recovery begins with an attempt.
/// </remarks>
public sealed partial record SandboxState : IEntityState<SandboxState, SandboxView>
{
    /// <summary>Names under which callers wait.</summary>
    public const string RunJoin = "run";
    public const string StopJoin = "stop";
    public const string RemoveJoin = "remove";

    private readonly NamespaceName _space;
    private readonly SandboxOptions _options;

    private SandboxState(NamespaceName space, SandboxOptions options)
    {
        _space = space;
        _options = options;
    }

    public SandboxLife Life { get; private init; }

    public SandboxView? View { get; private init; }

    public bool Ended => Life == SandboxLife.Removed;

    /// <summary>Null before the first event.</summary>
    public SandboxPlan? Plan { get; private init; }

    private string BootId { get; init; } = "";

    private bool NetworkAttached { get; init; }

    private bool ShimStarted { get; init; }

    private DateTimeOffset UntakenAt { get; init; }

    /// <summary>Why it did not start; null when it did.</summary>
    private RuntimeFault? RunFault { get; init; }

    private bool Rebooted => BootId != _options.BootId;

    public static SandboxState New(NamespaceName space, SandboxOptions options) => new(space, options);

    public SandboxState Apply(IDomainEvent recorded) => recorded switch
    {
        SandboxRunRequested run => this with
        {
            Life = SandboxLife.Starting,
            Plan = run.Plan,
            BootId = run.BootId,
            View = ViewOf(run),
        },
        SandboxNetworkAttached attached => this with
        {
            NetworkAttached = true,
            View = View! with { Ips = attached.Ips, CniResult = attached.CniResult },
        },
        SandboxShimStarted shim => this with { ShimStarted = true, View = View! with { Pid = shim.Pid } },
        SandboxRunCompleted => (this with { View = View! with { HasRun = true } }).In(SandboxLife.Ready, SandboxPhase.Ready),
        SandboxTaken => In(SandboxLife.Ready, SandboxPhase.Ready),
        SandboxUntaken untaken => In(SandboxLife.Untaken, SandboxPhase.Creating) with { UntakenAt = untaken.At },
        SandboxRunFailed failed => In(SandboxLife.Removing, SandboxPhase.Removing) with { RunFault = failed.Fault },
        SandboxLost lost => this with
        {
            Life = SandboxLife.Lost,
            View = View! with { Phase = SandboxPhase.NotReady, Pid = 0, Reason = lost.Reason },
        },
        SandboxResourcesUpdated updated => Updated(updated),
        SandboxStopRequested => In(SandboxLife.Stopping, SandboxPhase.NotReady),
        SandboxStopCompleted => this with { Life = SandboxLife.Stopped, NetworkAttached = false, View = Released(View!) },
        SandboxRemoveRequested => In(SandboxLife.Removing, SandboxPhase.Removing),
        SandboxRemoveCompleted => this with { Life = SandboxLife.Removed, View = null },
        _ => this,
    };

    public ImmutableArray<IEffect> Unfinished() => Life switch
    {
        SandboxLife.Starting or SandboxLife.Ready or SandboxLife.Untaken when Rebooted => [NoticeReboot.Instance],
        SandboxLife.Starting =>
        [
            .. Plan!.HasNetwork && !NetworkAttached ? new IEffect[] { new AttachNetwork(Plan) } : [],
            .. ShimStarted ? Array.Empty<IEffect>() : [new StartShim(Plan, Again: true)],
        ],
        SandboxLife.Ready => [new WatchSandbox(Plan!)],
        SandboxLife.Untaken => [new WatchSandbox(Plan!), new ExpireUntaken(UntakenAt, _options.UntakenLimit)],
        SandboxLife.Stopping => [new StopContainers(Plan!)],
        SandboxLife.Removing => [FirstOfRemoval],
        _ => [],
    };

    private SandboxState Updated(SandboxResourcesUpdated updated)
    {
        var config = Plan!.Config with { Overhead = updated.Overhead, Resources = updated.Resources };
        return this with { Plan = Plan with { Config = config }, View = View! with { Config = config } };
    }

    private SandboxState In(SandboxLife life, SandboxPhase phase) =>
        this with { Life = life, View = View! with { Phase = phase } };

    private static SandboxView ViewOf(SandboxRunRequested run) => new()
    {
        Id = run.Plan.Id,
        Config = run.Plan.Config,
        Phase = SandboxPhase.Creating,
        CreatedAt = run.At,
        NetworkNamespacePath = run.Plan.NetworkNamespacePath,
        IpcNamespacePath = run.Plan.IpcNamespacePath,
        UtsNamespacePath = run.Plan.UtsNamespacePath,
        UserNamespacePath = run.Plan.UserNamespacePath ?? "",
        SelinuxLevel = run.Plan.SelinuxLevel ?? "",
        CgroupPath = run.Plan.CgroupPath,
        RuntimeHandler = run.Plan.RuntimeHandler,
        Hostname = run.Plan.Hostname,
        PauseSnapshotter = run.Plan.PauseSnapshotter ?? "",
    };

    private static SandboxView Released(SandboxView view) => view with
    {
        Phase = SandboxPhase.NotReady,
        Ips = [],
        CniResult = "",
        Pid = 0,
        NetworkNamespacePath = "",
        IpcNamespacePath = "",
        UtsNamespacePath = "",
        UserNamespacePath = "",
    };
}
