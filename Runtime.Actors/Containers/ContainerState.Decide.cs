using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Snapshots;
using Runtime.Actors.Tasks;
using Runtime.Faults;
using static Runtime.Actors.Containers.ContainerPhase;

namespace Runtime.Actors.Containers;

public sealed partial record ContainerState
{
    internal const string CreateJoin = "create";
    private const string StartJoin = "start";
    private const string StopJoin = "stop";
    private const string RemoveJoin = "remove";
    private const int StartErrorCode = 128; // as a shell reports what it could not run

    /// <summary>Longer than a container's grace can sensibly be; beyond it a timer could not be set.</summary>
    private static readonly TimeSpan GraceMax = TimeSpan.FromDays(30);

    public Decision Decide(object command, DateTimeOffset now) => (command, View?.Phase) switch
    {
        // Create: root file system, bundle, done.
        (AdmittedContainer admitted, null) => Decision.Waiting(CreateJoin, [new ContainerCreateRequested(admitted.Plan, now)], [new PrepareRootfs(admitted.Plan)]),
        (AdmittedContainer or CreateContainer, Creating) => Decision.Waiting(CreateJoin),
        (AdmittedContainer or CreateContainer, Created) => Decision.Answering(new ContainerCreated(Plan!.Id)),
        (AdmittedContainer or CreateContainer, { } phase) => Decision.Reject(FaultKind.AlreadyExists, "container.name-taken",
            $"Container {Plan!.Id} has this name and attempt already, and is {phase}."),
        (SnapshotMounts rootfs, Creating) => Decision.Accept([],
            [HasImageVolumes ? new ViewImageVolumes(Plan!, rootfs.Mounts) : new WriteBundle(Plan!, rootfs.Mounts)]),
        (EffectDone { Effect: ViewImageVolumes view, Outcome: ImageVolumesViewed viewed }, Creating) =>
            Decision.Accept([], [new WriteBundle(Plan!, view.Rootfs) { ImageVolumes = viewed.Mounts }]),
        (EffectFailed { Effect: ViewImageVolumes } failed, Creating) => FailCreate(failed.Fault, now),
        (Rejected { Fault.Kind: FaultKind.AlreadyExists }, Creating) => Decision.Accept([], [new FindRootfs(Plan!)]),
        (Rejected rejected, Creating) => FailCreate(rejected.Fault, now),
        (EffectDone { Effect: WriteBundle, Outcome: BundleOutcome bundle }, Creating) =>
            Decision.Accept([new ContainerCreateCompleted(bundle.User, bundle.Rootfs, now)], []).AndAnswer(CreateJoin, new ContainerCreated(Plan!.Id)),
        (EffectFailed { Effect: WriteBundle } failed, Creating) => FailCreate(failed.Fault, now),

        // Start.
        (StartContainer, Created) => Decision.Waiting(StartJoin, [new ContainerStartRequested(now)], [new RunTask(Plan!, Rootfs)]),
        (StartContainer, Starting) => Decision.Waiting(StartJoin),
        (EffectDone { Effect: RunTask, Outcome: TaskStarted started }, Starting) => Started(started),
        (EffectFailed { Effect: RunTask } failed, Starting) => FailStart(failed.Fault, now),

        // Its end, and what may hide it.
        (EffectDone { Effect: WatchTask, Outcome: TaskExit exit }, Running or Unknown) => EndWith(exit),
        (EffectFailed { Effect: WatchTask } failed, Running) => Decision.Accept([new ContainerLost(failed.Fault.Message, now)], [])
            .AndAnswer(StopJoin, new Rejected(failed.Fault)),

        // Stop: the signal once, then a kill when the shortest grace is over.
        (StopContainer stop, Starting or Running) => StopWithin(stop.Grace, now),
        (StopContainer, Unknown) => Decision.Waiting(StopJoin, effects: [new DeleteTask(Plan!)]),
        (StopContainer stop, _) => Decision.Answering(new ContainerStopped(stop.EntityId)),
        (EffectDone { Effect: AwaitGrace grace }, Running) when Stop?.KillAt == grace.KillAt => Decision.Accept([], [new KillTask(Plan!)]),
        (EffectFailed { Effect: KillTask } failed, Running) => Decision.Nothing.AndAnswer(StopJoin, new Rejected(failed.Fault)),
        (EffectDone { Effect: DeleteTask, Outcome: var exit }, Unknown) =>
            EndWith(exit as TaskExit ?? new TaskExit(255, now, false, "Its process was gone when it was looked for.")),
        (EffectFailed { Effect: DeleteTask } failed, Unknown) => Decision.Nothing.AndAnswer(StopJoin, new Rejected(failed.Fault)),

        // Remove: the process, the files, the root file system; again and again until they are gone.
        (RemoveContainer, Creating or Starting) => WrongPhase(command),
        (RemoveContainer, Removing) => Decision.Waiting(RemoveJoin),
        (RemoveContainer, { }) => Decision.Waiting(RemoveJoin, [new ContainerRemoveRequested(now)], [new DestroyTask(Plan!)]),
        (EffectDone { Effect: DestroyTask, Outcome: var exit }, Removing) => Destroyed(exit as TaskExit),
        (EffectFailed { Effect: DestroyTask } failed, Removing) => RetryRemoval(failed.Fault),
        (EffectDone { Effect: AwaitRetry }, Removing) => Decision.Accept([], [new DestroyTask(Plan!)]),
        (EffectDone { Effect: ReleaseImageVolumes }, Removing) => Decision.Accept([], [new ReleaseRootfs(Plan!)]),
        (EffectFailed { Effect: ReleaseImageVolumes } failed, Removing) => RetryRemoval(failed.Fault),
        (SnapshotRemoved, Removing) => Removed(now),
        (Rejected { Fault.Kind: FaultKind.NotFound }, Removing) => Removed(now),
        (Rejected rejected, Removing) => RetryRemoval(rejected.Fault),

        // New limits. An interrupted update is no intention to finish: the kubelet compares, and asks again.
        (UpdateContainer update, Created or Running) => Decision.Waiting(update.UpdateId, effects:
            [new UpdateTask(Plan!, update.UpdateId, update.Resources, IsLive: View!.Phase == Running)]),
        (EffectDone { Effect: UpdateTask { IsLive: false } update }, Starting or Running) =>
            Decision.Accept([], [update with { IsLive = true }]), // the start may have read the spec before
        (EffectDone { Effect: UpdateTask update }, { }) => Updated(update, now),
        (EffectFailed { Effect: UpdateTask update } failed, _) => Decision.Nothing.AndAnswer(update.UpdateId, new Rejected(failed.Fault)),

        // While it runs.
        (ExecSync exec, Running) => Decision.Waiting(exec.ExecId, effects: [new ExecTask(Plan!, exec.ExecId, exec.Command, exec.Timeout)]),
        (EffectDone { Effect: ExecTask exec, Outcome: ExecSyncResult result }, _) => Decision.Nothing.AndAnswer(exec.ExecId, result),
        (EffectFailed { Effect: ExecTask exec } failed, _) => Decision.Nothing.AndAnswer(exec.ExecId, new Rejected(failed.Fault)),
        (OpenExec open, Running) => Decision.Waiting(open.ExecId, effects:
            [new OpenExecSession(Plan!, open.ExecId, open.Command, new SessionStreams(open.Stdin, open.Stdout, open.Stderr, open.Terminal))]),
        (EffectDone { Effect: OpenExecSession exec, Outcome: IProcessSession session }, _) =>
            Decision.Nothing.AndAnswer(exec.ExecId, new SessionOpened(session)),
        (EffectFailed { Effect: OpenExecSession exec } failed, _) => Decision.Nothing.AndAnswer(exec.ExecId, new Rejected(failed.Fault)),
        (OpenAttach { Stdin: true }, Running) when !Plan!.Config.Stdin => Decision.Reject(FaultKind.FailedPrecondition, "attach.no-stdin",
            $"Container {Plan.Id} has no stdin to attach to."),
        (OpenAttach open, Running) => Decision.Waiting(open.SessionId, effects:
            [new OpenAttachSession(Plan!, open.SessionId, new SessionStreams(open.Stdin, open.Stdout, open.Stderr, Plan!.Config.Tty))]),
        (EffectDone { Effect: OpenAttachSession attach, Outcome: IProcessSession session }, _) =>
            Decision.Nothing.AndAnswer(attach.SessionId, new SessionOpened(session)),
        (EffectFailed { Effect: OpenAttachSession attach } failed, _) => Decision.Nothing.AndAnswer(attach.SessionId, new Rejected(failed.Fault)),
        (CheckpointContainer checkpoint, Running) => Decision.Waiting(checkpoint.CheckpointId, effects:
            [new CheckpointTask(Plan!, checkpoint.CheckpointId, checkpoint.Location, checkpoint.Status, Rootfs)]),
        (EffectDone { Effect: CheckpointTask checkpoint }, _) =>
            Decision.Nothing.AndAnswer(checkpoint.CheckpointId, new ContainerCheckpointed(checkpoint.Plan.Id)),
        (EffectFailed { Effect: CheckpointTask checkpoint } failed, _) =>
            Decision.Nothing.AndAnswer(checkpoint.CheckpointId, new Rejected(failed.Fault)),
        (ReopenLog, Running) when View!.LogPath.Length > 0 => Reopen($"reopen-log/{now.UtcTicks}"),
        (EffectDone { Effect: ReopenTaskLog reopen }, _) => Decision.Nothing.AndAnswer(reopen.Join, new LogReopened(Plan!.Id)),
        (EffectFailed { Effect: ReopenTaskLog reopen } failed, _) => Decision.Nothing.AndAnswer(reopen.Join, new Rejected(failed.Fault)),

        (IContainerCommand, _) => WrongPhase(command),
        _ => Decision.Nothing, // an outcome that the container's course has overtaken
    };

    private bool HasImageVolumes => !Plan!.ImageVolumes.IsEmpty;

    private Decision FailCreate(RuntimeFault fault, DateTimeOffset now) =>
        Decision.Accept([new ContainerCreateFailed(fault, now)], [new DestroyTask(Plan!)]).AndAnswer(CreateJoin, new Rejected(fault));

    private Decision Started(TaskStarted started)
    {
        ImmutableArray<IEffect> effects = Stop is { } stop
            ? [new WatchTask(Plan!), new SignalTask(Plan!, stop.Signal), new AwaitGrace(stop.KillAt)]
            : [new WatchTask(Plan!)];
        return Decision.Accept([new ContainerStartCompleted(started.Pid, started.At)], effects).AndAnswer(StartJoin, new ContainerStarted(Plan!.Id));
    }

    private Decision FailStart(RuntimeFault fault, DateTimeOffset now) =>
        Decision.Accept([new ContainerExited(StartErrorCode, "StartError", fault.Message, now)], [new DeleteTask(Plan!)])
            .AndAnswer(StartJoin, new Rejected(fault))
            .AndAnswer(StopJoin, new ContainerStopped(Plan!.Id));

    private Decision EndWith(TaskExit exit) =>
        Decision.Accept([ExitedOf(exit)], [new DeleteTask(Plan!)]).AndAnswer(StopJoin, new ContainerStopped(Plan!.Id));

    private static ContainerExited ExitedOf(TaskExit exit) => new(
        exit.Code,
        exit switch
        {
            { Cause.Length: > 0 } => "Unknown",
            { OomKilled: true } => "OOMKilled",
            { Code: 0 } => "Completed",
            _ => "Error",
        },
        exit.Cause,
        exit.At);

    private Decision StopWithin(TimeSpan grace, DateTimeOffset now)
    {
        var killAt = now + (grace < TimeSpan.Zero ? TimeSpan.Zero : grace > GraceMax ? GraceMax : grace);
        if (Stop is { } asked && asked.KillAt <= killAt)
            // It had its time: the kill may have been lost, or not have helped.
            return Decision.Waiting(StopJoin, effects: asked.KillAt <= now && View!.Phase == Running ? [new KillTask(Plan!)] : []);
        var stop = new ContainerStopRequested(Plan!.StopSignal, killAt, now);
        if (View!.Phase == Starting) return Decision.Waiting(StopJoin, [stop]);
        return Decision.Waiting(StopJoin, [stop], (Stop, killAt <= now) switch
        {
            (_, true) => [new KillTask(Plan!)],
            (null, false) => [new SignalTask(Plan!, stop.Signal), new AwaitGrace(killAt)],
            (_, false) => [new AwaitGrace(killAt)],
        });
    }

    private Decision Destroyed(TaskExit? exit)
    {
        var ran = View!.StartedAt is not null && View.FinishedAt is null;
        return Decision.Accept(ran && exit is not null ? [ExitedOf(exit)] : [], [HasImageVolumes && !Plan!.PodVolumes ? new ReleaseImageVolumes(Plan) : new ReleaseRootfs(Plan!)])
            .AndAnswer(StopJoin, new ContainerStopped(Plan!.Id));
    }

    private static Decision RetryRemoval(RuntimeFault fault) =>
        Decision.Accept([], [new AwaitRetry()]).AndAnswer(RemoveJoin, new Rejected(fault));

    private Decision Removed(DateTimeOffset now) =>
        Decision.Accept([new ContainerRemoveCompleted(now)], []).AndAnswer(RemoveJoin, new ContainerRemoved(Plan!.Id));

    private Decision Updated(UpdateTask update, DateTimeOffset now)
    {
        var resources = (View!.Config.Resources ?? new ContainerResources()).With(update.Resources);
        return Decision.Accept([new ContainerResourcesUpdated(resources, now)], [])
            .AndAnswer(update.UpdateId, new ContainerUpdated(Plan!.Id));
    }

    private Decision Reopen(string join) => Decision.Waiting(join, effects: [new ReopenTaskLog(Plan!, join)]);

    private Decision WrongPhase(object command) => Decision.Reject(FaultKind.FailedPrecondition, "container.wrong-phase",
        $"{command.GetType().Name}: container {Plan?.Id} is {View?.Phase}.");
}
