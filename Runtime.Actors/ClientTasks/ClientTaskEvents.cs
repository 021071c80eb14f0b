using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Faults;

namespace Runtime.Actors.ClientTasks;

/// <param name="Runtime">A runtime type, or the path of a shim.</param>
public sealed record TaskCreateRequested(ClientTaskPlan Plan, string Runtime, ProcessIo Io, DateTimeOffset At) : IDomainEvent;

public sealed record TaskCreateCompleted(uint Pid, DateTimeOffset At) : IDomainEvent;

/// <summary>It will not come into being: what was made is undone, then <see cref="TaskDeleted"/> follows.</summary>
public sealed record TaskCreateFailed(RuntimeFault Fault, DateTimeOffset At) : IDomainEvent;

public sealed record ExecCreateRequested(string ExecId, ProcessIo Io, DateTimeOffset At) : IDomainEvent;

public sealed record ExecCreateCompleted(string ExecId, DateTimeOffset At) : IDomainEvent;

/// <summary>It was removed, or never came into being.</summary>
public sealed record ExecDeleted(string ExecId, DateTimeOffset At) : IDomainEvent;

/// <param name="ExecId">Empty: the first process.</param>
public sealed record ProcessStartRequested(string ExecId, DateTimeOffset At) : IDomainEvent;

public sealed record ProcessStartCompleted(string ExecId, uint Pid, DateTimeOffset At) : IDomainEvent;

public sealed record ProcessStartFailed(string ExecId, RuntimeFault Fault, DateTimeOffset At) : IDomainEvent;

/// <param name="Code">128 + signal for a killed process; 255 when it is not known.</param>
/// <param name="Cause">Why it is not known; empty when it is.</param>
/// <param name="IsShimDead">The shim ended before it could tell.</param>
public sealed record ProcessExited(string ExecId, uint Code, DateTimeOffset ExitedAt, string Cause, bool IsShimDead) : IDomainEvent;

public sealed record TaskPaused(DateTimeOffset At) : IDomainEvent;

public sealed record TaskResumed(DateTimeOffset At) : IDomainEvent;

public sealed record TaskDeleteRequested(DateTimeOffset At) : IDomainEvent;

/// <summary>The shim did not let it go: it is as it was.</summary>
public sealed record TaskDeleteRefused(RuntimeFault Fault, DateTimeOffset At) : IDomainEvent;

/// <summary>Nothing of it is left.</summary>
/// <param name="IsShimDead">The shim could not tell that.</param>
public sealed record TaskDeleted(bool IsShimDead, DateTimeOffset At) : IDomainEvent;

/// <summary>How tasks are written into the journal.</summary>
public static class ClientTaskJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        JournalType.Of("task.create-requested.v1", ClientTaskJson.Default.TaskCreateRequested),
        JournalType.Of("task.created.v1", ClientTaskJson.Default.TaskCreateCompleted),
        JournalType.Of("task.create-failed.v1", ClientTaskJson.Default.TaskCreateFailed),
        JournalType.Of("task.exec-create-requested.v1", ClientTaskJson.Default.ExecCreateRequested),
        JournalType.Of("task.exec-created.v1", ClientTaskJson.Default.ExecCreateCompleted),
        JournalType.Of("task.exec-deleted.v1", ClientTaskJson.Default.ExecDeleted),
        JournalType.Of("task.start-requested.v1", ClientTaskJson.Default.ProcessStartRequested),
        JournalType.Of("task.started.v1", ClientTaskJson.Default.ProcessStartCompleted),
        JournalType.Of("task.start-failed.v1", ClientTaskJson.Default.ProcessStartFailed),
        JournalType.Of("task.exited.v1", ClientTaskJson.Default.ProcessExited),
        JournalType.Of("task.paused.v1", ClientTaskJson.Default.TaskPaused),
        JournalType.Of("task.resumed.v1", ClientTaskJson.Default.TaskResumed),
        JournalType.Of("task.delete-requested.v1", ClientTaskJson.Default.TaskDeleteRequested),
        JournalType.Of("task.delete-refused.v1", ClientTaskJson.Default.TaskDeleteRefused),
        JournalType.Of("task.deleted.v1", ClientTaskJson.Default.TaskDeleted, endsEntity: true),
    ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TaskCreateRequested))]
[JsonSerializable(typeof(TaskCreateCompleted))]
[JsonSerializable(typeof(TaskCreateFailed))]
[JsonSerializable(typeof(ExecCreateRequested))]
[JsonSerializable(typeof(ExecCreateCompleted))]
[JsonSerializable(typeof(ExecDeleted))]
[JsonSerializable(typeof(ProcessStartRequested))]
[JsonSerializable(typeof(ProcessStartCompleted))]
[JsonSerializable(typeof(ProcessStartFailed))]
[JsonSerializable(typeof(ProcessExited))]
[JsonSerializable(typeof(TaskPaused))]
[JsonSerializable(typeof(TaskResumed))]
[JsonSerializable(typeof(TaskDeleteRequested))]
[JsonSerializable(typeof(TaskDeleteRefused))]
[JsonSerializable(typeof(TaskDeleted))]
internal sealed partial class ClientTaskJson : JsonSerializerContext;
