using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>
/// One container, from create to removal. Pure.
/// </summary>
/// <remarks>
/// <code>
///  CreateContainer        StartContainer          the process runs      it ends
///        |                      |                       |                  |
///    Creating ----> Created ----> Starting ----------> Running ---------> Exited
///        | fails        |             | fails: 128, StartError |   ^        |
///        |              |             +----------------------- | --+        |
///        |              | RemoveContainer                      | its truth  |
///        v              v                                      v is not     |
///     Removing &lt;---------------------------------------- Unknown known      |
///        |     &lt;------------------------------------------------------------+
///     (ended)
/// </code>
/// </remarks>
public sealed partial record ContainerState : IEntityState<ContainerState, ContainerView>
{
    public static readonly ContainerState Empty = new();

    private ContainerState()
    {
    }

    public ContainerView? View { get; private init; }

    public bool Ended { get; private init; }

    private ContainerPlan? Plan { get; init; }

    private ImmutableArray<MountSpec> Rootfs { get; init; } = [];

    /// <summary>The last stop that was asked for; null for none.</summary>
    private ContainerStopRequested? Stop { get; init; }

    public ContainerState Apply(IDomainEvent recorded) => recorded switch
    {
        ContainerCreateRequested requested => this with { Plan = requested.Plan, View = ViewOf(requested) },
        ContainerCreateCompleted created => Show(view => view with { Phase = ContainerPhase.Created, User = created.User }) with { Rootfs = created.Rootfs },
        ContainerCreateFailed or ContainerRemoveRequested => Show(view => view with { Phase = ContainerPhase.Removing }),
        ContainerStartRequested => Show(view => view with { Phase = ContainerPhase.Starting }),
        ContainerStartCompleted started =>
            Show(view => view with { Phase = ContainerPhase.Running, StartedAt = started.At, Pid = started.Pid }),
        ContainerStopRequested stop => this with { Stop = stop },
        ContainerResourcesUpdated updated => Show(view => view with { Config = view.Config with { Resources = updated.Resources } }) with
        {
            Plan = Plan! with { Config = Plan.Config with { Resources = updated.Resources } },
        },
        ContainerExited exited => Show(view => Ending(view, exited)),
        ContainerLost lost => Show(view => view with { Phase = ContainerPhase.Unknown, Message = lost.Message }),
        ContainerRemoveCompleted => this with { Ended = true, View = null },
        _ => this,
    };

    public ImmutableArray<IEffect> Unfinished() => Plan is not { } plan || Ended ? [] : View?.Phase switch
    {
        ContainerPhase.Creating => [new PrepareRootfs(plan)],
        ContainerPhase.Starting => [new RunTask(plan, Rootfs)],
        // Whether the signal was sent before the daemon ended is not known; twice is better than never.
        ContainerPhase.Running when Stop is { } stop =>
            [new WatchTask(plan), new SignalTask(plan, stop.Signal), new AwaitGrace(stop.KillAt)],
        ContainerPhase.Running or ContainerPhase.Unknown => [new WatchTask(plan)],
        ContainerPhase.Exited => [new DeleteTask(plan)],
        ContainerPhase.Removing => [new DestroyTask(plan)],
        _ => [],
    };

    private static ContainerView ViewOf(ContainerCreateRequested requested) => new()
    {
        Id = requested.Plan.Id,
        SandboxId = requested.Plan.SandboxId,
        Config = requested.Plan.Config,
        Phase = ContainerPhase.Creating,
        CreatedAt = requested.At,
        ImageId = requested.Plan.ImageId,
        ImageRef = requested.Plan.ImageRef,
        LogPath = requested.Plan.LogPath,
        Snapshotter = requested.Plan.Snapshotter,
        SnapshotKey = requested.Plan.Id,
        RuntimeHandler = requested.Plan.RuntimeHandler,
        StopSignal = requested.Plan.StopSignal,
    };

    private static ContainerView Ending(ContainerView view, ContainerExited exited) => view with
    {
        // A removal that has begun goes on, and tells of the end on its way.
        Phase = view.Phase == ContainerPhase.Removing ? ContainerPhase.Removing : ContainerPhase.Exited,
        Pid = 0,
        ExitCode = exited.ExitCode,
        Reason = exited.Reason,
        Message = exited.Message,
        FinishedAt = exited.FinishedAt,
    };

    private ContainerState Show(Func<ContainerView, ContainerView> change) => View is { } view ? this with { View = change(view) } : this;
}
