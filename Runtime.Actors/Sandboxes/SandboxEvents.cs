using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <param name="BootId">The boot in which it began: what it made in the kernel is gone with the next one.</param>
public sealed record SandboxRunRequested(SandboxPlan Plan, string BootId, DateTimeOffset At) : IDomainEvent;

/// <param name="Ips">The first is the primary.</param>
/// <param name="CniResult">As the last plugin wrote it.</param>
public sealed record SandboxNetworkAttached(ImmutableArray<string> Ips, string CniResult, DateTimeOffset At) : IDomainEvent;

public sealed record SandboxShimStarted(uint Pid, DateTimeOffset At) : IDomainEvent;

public sealed record SandboxRunCompleted(DateTimeOffset At) : IDomainEvent;

/// <summary>It will not start: what was made is undone, then <see cref="SandboxRemoveCompleted"/> follows.</summary>
public sealed record SandboxRunFailed(RuntimeFault Fault, DateTimeOffset At) : IDomainEvent;

/// <summary>It started when nobody was there any more to be told.</summary>
public sealed record SandboxUntaken(DateTimeOffset At) : IDomainEvent;

/// <summary>A retry came for it.</summary>
public sealed record SandboxTaken(DateTimeOffset At) : IDomainEvent;

/// <summary>It is not ready any more, though nobody asked for that.</summary>
public sealed record SandboxLost(string Reason, DateTimeOffset At) : IDomainEvent;

/// <summary>What the pod may use as a whole changed.</summary>
public sealed record SandboxResourcesUpdated(ContainerResources? Overhead, ContainerResources? Resources, DateTimeOffset At) : IDomainEvent;

public sealed record SandboxStopRequested(DateTimeOffset At) : IDomainEvent;

public sealed record SandboxStopCompleted(DateTimeOffset At) : IDomainEvent;

public sealed record SandboxRemoveRequested(DateTimeOffset At) : IDomainEvent;

/// <summary>Nothing of it is left.</summary>
public sealed record SandboxRemoveCompleted(DateTimeOffset At) : IDomainEvent;

/// <summary>How sandboxes are written into the journal.</summary>
public static class SandboxJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        JournalType.Of("sandbox.run-requested.v1", SandboxJson.Default.SandboxRunRequested),
        JournalType.Of("sandbox.network-attached.v1", SandboxJson.Default.SandboxNetworkAttached),
        JournalType.Of("sandbox.shim-started.v1", SandboxJson.Default.SandboxShimStarted),
        JournalType.Of("sandbox.started.v1", SandboxJson.Default.SandboxRunCompleted),
        JournalType.Of("sandbox.run-failed.v1", SandboxJson.Default.SandboxRunFailed),
        JournalType.Of("sandbox.untaken.v1", SandboxJson.Default.SandboxUntaken),
        JournalType.Of("sandbox.taken.v1", SandboxJson.Default.SandboxTaken),
        JournalType.Of("sandbox.lost.v1", SandboxJson.Default.SandboxLost),
        JournalType.Of("sandbox.resources-updated.v1", SandboxJson.Default.SandboxResourcesUpdated),
        JournalType.Of("sandbox.stop-requested.v1", SandboxJson.Default.SandboxStopRequested),
        JournalType.Of("sandbox.stopped.v1", SandboxJson.Default.SandboxStopCompleted),
        JournalType.Of("sandbox.remove-requested.v1", SandboxJson.Default.SandboxRemoveRequested),
        JournalType.Of("sandbox.removed.v1", SandboxJson.Default.SandboxRemoveCompleted, endsEntity: true),
    ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SandboxRunRequested))]
[JsonSerializable(typeof(SandboxNetworkAttached))]
[JsonSerializable(typeof(SandboxShimStarted))]
[JsonSerializable(typeof(SandboxRunCompleted))]
[JsonSerializable(typeof(SandboxRunFailed))]
[JsonSerializable(typeof(SandboxUntaken))]
[JsonSerializable(typeof(SandboxTaken))]
[JsonSerializable(typeof(SandboxLost))]
[JsonSerializable(typeof(SandboxResourcesUpdated))]
[JsonSerializable(typeof(SandboxStopRequested))]
[JsonSerializable(typeof(SandboxStopCompleted))]
[JsonSerializable(typeof(SandboxRemoveRequested))]
[JsonSerializable(typeof(SandboxRemoveCompleted))]
internal sealed partial class SandboxJson : JsonSerializerContext;
