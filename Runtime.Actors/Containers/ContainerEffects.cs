using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Tasks;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>Has the snapshotter prepare the root file system. The answer is a message to the state.</summary>
public sealed record PrepareRootfs(ContainerPlan Plan) : IEffect;

/// <summary>Asks for the mounts of a root file system that an earlier try prepared.</summary>
public sealed record FindRootfs(ContainerPlan Plan) : IEffect;

/// <summary>Has the snapshotter keep the images that are volumes, and say how to mount them. Outcome: <see cref="ImageVolumesViewed"/>.</summary>
public sealed record ViewImageVolumes(ContainerPlan Plan, ImmutableArray<MountSpec> Rootfs) : IEffect;

/// <param name="Mounts">In the order of the plan's volumes.</param>
public sealed record ImageVolumesViewed(ImmutableArray<ImmutableArray<MountSpec>> Mounts);

/// <summary>Has the snapshotter let go of the images that were volumes.</summary>
public sealed record ReleaseImageVolumes(ContainerPlan Plan) : IEffect;

/// <summary>Resolves user, mounts and devices, and writes the bundle. Outcome: <see cref="BundleOutcome"/>.</summary>
public sealed record WriteBundle(ContainerPlan Plan, ImmutableArray<MountSpec> Rootfs) : IEffect
{
    /// <summary>In the order of the plan's image volumes.</summary>
    public ImmutableArray<ImmutableArray<MountSpec>> ImageVolumes { get; init; } = [];
}

public sealed record BundleOutcome(ContainerUser User, ImmutableArray<MountSpec> Rootfs);

/// <summary>Starts the process, or finds the one that was started. Outcome: TaskStarted.</summary>
public sealed record RunTask(ContainerPlan Plan, ImmutableArray<MountSpec> Rootfs) : IEffect;

/// <summary>Waits for the process' end. Outcome: TaskExit.</summary>
public sealed record WatchTask(ContainerPlan Plan) : IEffect;

public sealed record SignalTask(ContainerPlan Plan, string Signal) : IEffect;

/// <summary>Lets the grace period pass.</summary>
public sealed record AwaitGrace(DateTimeOffset KillAt) : IEffect;

public sealed record KillTask(ContainerPlan Plan) : IEffect;

/// <summary>Has the shim forget an ended process; kills one that turns out to run.</summary>
public sealed record DeleteTask(ContainerPlan Plan) : IEffect;

/// <summary>Kills and deletes the process, and removes every file. Outcome: TaskExit, null when nothing ran.</summary>
public sealed record DestroyTask(ContainerPlan Plan) : IEffect;

/// <summary>Has the snapshotter remove the root file system. The answer is a message to the state.</summary>
public sealed record ReleaseRootfs(ContainerPlan Plan) : IEffect;

/// <summary>Lets a while pass before a removal is tried again.</summary>
public sealed record AwaitRetry : IEffect;

/// <summary>Outcome: <see cref="ExecSyncResult"/>.</summary>
public sealed record ExecTask(ContainerPlan Plan, string ExecId, ImmutableArray<string> Command, TimeSpan Timeout) : IEffect;

/// <summary>Writes the limits into the stored spec and, where the process is live, into its cgroup: both or neither.</summary>
public sealed record UpdateTask(ContainerPlan Plan, string UpdateId, ContainerResources Resources, bool IsLive) : IEffect;

/// <summary>Outcome: IProcessSession.</summary>
public sealed record OpenExecSession(ContainerPlan Plan, string ExecId, ImmutableArray<string> Command, SessionStreams Streams) : IEffect;

/// <summary>Outcome: IProcessSession.</summary>
public sealed record OpenAttachSession(ContainerPlan Plan, string SessionId, SessionStreams Streams) : IEffect;

/// <summary>Dumps the process while it stands still, and writes the archive.</summary>
public sealed record CheckpointTask(
    ContainerPlan Plan, string CheckpointId, string Location, ReadOnlyMemory<byte> Status, ImmutableArray<MountSpec> Rootfs) : IEffect;

/// <param name="Join">Who waits for it.</param>
public sealed record ReopenTaskLog(ContainerPlan Plan, string Join) : IEffect;
