using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Faults;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

public sealed record ContainerCreateRequested(ContainerPlan Plan, DateTimeOffset At) : IDomainEvent;

/// <summary>Root file system and bundle are there.</summary>
/// <param name="Rootfs">What the shim mounts.</param>
public sealed record ContainerCreateCompleted(ContainerUser User, ImmutableArray<MountSpec> Rootfs, DateTimeOffset At) : IDomainEvent;

/// <summary>It will not come into being: what was made is undone, then <see cref="ContainerRemoveCompleted"/> follows.</summary>
public sealed record ContainerCreateFailed(RuntimeFault Fault, DateTimeOffset At) : IDomainEvent;

public sealed record ContainerStartRequested(DateTimeOffset At) : IDomainEvent;

public sealed record ContainerStartCompleted(uint Pid, DateTimeOffset At) : IDomainEvent;

/// <param name="Signal">Sent first.</param>
/// <param name="KillAt">When it is killed if it still runs.</param>
public sealed record ContainerStopRequested(string Signal, DateTimeOffset KillAt, DateTimeOffset At) : IDomainEvent;

/// <summary>Its limits are others from here on.</summary>
/// <param name="Resources">All of them, as they are in effect.</param>
public sealed record ContainerResourcesUpdated(ContainerResources Resources, DateTimeOffset At) : IDomainEvent;

/// <summary>Its process ended, or never ran.</summary>
/// <param name="Reason">Completed, Error, OOMKilled, StartError, Unknown.</param>
public sealed record ContainerExited(int ExitCode, string Reason, string Message, DateTimeOffset FinishedAt) : IDomainEvent;

/// <summary>Whether it runs could not be established.</summary>
public sealed record ContainerLost(string Message, DateTimeOffset At) : IDomainEvent;

public sealed record ContainerRemoveRequested(DateTimeOffset At) : IDomainEvent;

/// <summary>Nothing of it is left but its log.</summary>
public sealed record ContainerRemoveCompleted(DateTimeOffset At) : IDomainEvent;

/// <summary>How containers are written into the journal.</summary>
public static class ContainerJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        JournalType.Of("container.create-requested.v1", ContainerJson.Default.ContainerCreateRequested),
        JournalType.Of("container.created.v1", ContainerJson.Default.ContainerCreateCompleted),
        JournalType.Of("container.create-failed.v1", ContainerJson.Default.ContainerCreateFailed),
        JournalType.Of("container.start-requested.v1", ContainerJson.Default.ContainerStartRequested),
        JournalType.Of("container.started.v1", ContainerJson.Default.ContainerStartCompleted),
        JournalType.Of("container.stop-requested.v1", ContainerJson.Default.ContainerStopRequested),
        JournalType.Of("container.resources-updated.v1", ContainerJson.Default.ContainerResourcesUpdated),
        JournalType.Of("container.exited.v1", ContainerJson.Default.ContainerExited),
        JournalType.Of("container.lost.v1", ContainerJson.Default.ContainerLost),
        JournalType.Of("container.remove-requested.v1", ContainerJson.Default.ContainerRemoveRequested),
        JournalType.Of("container.removed.v1", ContainerJson.Default.ContainerRemoveCompleted, endsEntity: true),
    ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ContainerCreateRequested))]
[JsonSerializable(typeof(ContainerCreateCompleted))]
[JsonSerializable(typeof(ContainerCreateFailed))]
[JsonSerializable(typeof(ContainerStartRequested))]
[JsonSerializable(typeof(ContainerStartCompleted))]
[JsonSerializable(typeof(ContainerStopRequested))]
[JsonSerializable(typeof(ContainerResourcesUpdated))]
[JsonSerializable(typeof(ContainerExited))]
[JsonSerializable(typeof(ContainerLost))]
[JsonSerializable(typeof(ContainerRemoveRequested))]
[JsonSerializable(typeof(ContainerRemoveCompleted))]
internal sealed partial class ContainerJson : JsonSerializerContext;
