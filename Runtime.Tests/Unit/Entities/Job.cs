using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Tests.Unit.Entities;

public interface IJobCommand : IEntityCommand;

public sealed record CreateJob(NamespaceName Space, string EntityId) : IJobCommand;

/// <summary>Joinable: answered with <see cref="JobDone"/> when the work is done.</summary>
public sealed record RunJob(NamespaceName Space, string EntityId) : IJobCommand;

public sealed record RemoveJob(NamespaceName Space, string EntityId) : IJobCommand;

/// <summary>Makes Decide throw.</summary>
public sealed record BreakJob(NamespaceName Space, string EntityId) : IJobCommand;

/// <summary>Refused by everyone.</summary>
public sealed record ForbidJob(NamespaceName Space, string EntityId) : IJobCommand;

/// <summary>Stores an event that the journal does not know.</summary>
public sealed record MisfileJob(NamespaceName Space, string EntityId) : IJobCommand;

public sealed record JobOk(string Id);

public sealed record JobDone(string Id, string Result);

public sealed record JobCreated(DateTimeOffset At) : IDomainEvent;

public sealed record JobStarted : IDomainEvent;

public sealed record JobFinished(string Result) : IDomainEvent;

public sealed record JobRemoved : IDomainEvent;

public sealed record JobMisfiled : IDomainEvent;

public sealed record Work(string JobId) : IEffect;

[JsonSerializable(typeof(JobCreated))]
[JsonSerializable(typeof(JobStarted))]
[JsonSerializable(typeof(JobFinished))]
[JsonSerializable(typeof(JobRemoved))]
internal sealed partial class JobJson : JsonSerializerContext;

public enum JobPhase { None, Idle, Running, Removed }

public sealed record JobView(string Id, JobPhase Phase, int Runs);

/// <summary>The smallest entity that uses all of the kit.</summary>
public sealed record JobState(string Id, JobPhase Phase = JobPhase.None, int Runs = 0) : IEntityState<JobState, JobView>
{
    public static readonly JournalType[] Types =
    [
        JournalType.Of("job.created.v1", JobJson.Default.JobCreated),
        JournalType.Of("job.started.v1", JobJson.Default.JobStarted),
        JournalType.Of("job.finished.v1", JobJson.Default.JobFinished),
        JournalType.Of("job.removed.v1", JobJson.Default.JobRemoved, endsEntity: true),
    ];

    public JobView? View { get; } = Phase == JobPhase.None ? null : new JobView(Id, Phase, Runs);

    public bool Ended => Phase == JobPhase.Removed;

    // Strict on purpose: an event that does not follow from the state shows a kit that mixes lives or incarnations.
    public JobState Apply(IDomainEvent recorded) => (recorded, Phase) switch
    {
        (JobCreated, JobPhase.None) => new(Id, JobPhase.Idle, Runs),
        (JobStarted, JobPhase.Idle) => new(Id, JobPhase.Running, Runs),
        (JobFinished, JobPhase.Running) => new(Id, JobPhase.Idle, Runs + 1),
        (JobRemoved, not JobPhase.None and not JobPhase.Removed) => new(Id, JobPhase.Removed, Runs),
        _ => throw new InvalidOperationException($"{recorded} while {Phase}"),
    };

    public Decision Decide(object command, DateTimeOffset now) => (command, Phase) switch
    {
        (BreakJob, _) => throw new InvalidOperationException("broken on purpose"),
        (ForbidJob, _) => Decision.Reject(FaultKind.PermissionDenied, "job.forbidden", "no"),
        (MisfileJob, _) => Decision.Accept([new JobMisfiled()], [], new JobOk(Id)),
        (CreateJob, JobPhase.None) => Decision.Accept([new JobCreated(now)], [], new JobOk(Id)),
        (RunJob, JobPhase.Idle) => Decision.Waiting("run", [new JobStarted()], [new Work(Id)]),
        (RunJob, JobPhase.Running) => Decision.Waiting("run"),
        (RemoveJob, JobPhase.Idle) => Decision.Accept([new JobRemoved()], [], new JobOk(Id)),
        (EffectDone { Outcome: string result }, JobPhase.Running) =>
            Decision.Accept([new JobFinished(result)], []).AndAnswer("run", new JobDone(Id, result)),
        (EffectFailed failed, JobPhase.Running) =>
            Decision.Accept([new JobFinished("failed")], []).AndAnswer("run", new Rejected(failed.Fault)),
        _ => Decision.Reject(FaultKind.FailedPrecondition, "job.wrong-phase", $"{command.GetType().Name} while {Phase}"),
    };

    public ImmutableArray<IEffect> Unfinished() => Phase == JobPhase.Running ? [new Work(Id)] : [];
}

/// <summary>What jobs do: the test decides when it ends, and how.</summary>
public sealed class JobWork : IDisposable
{
    private readonly ConcurrentQueue<TaskCompletionSource<string>> _begun = [];
    private readonly SemaphoreSlim _arrived = new(0);

    public Task<string> RunAsync(CancellationToken stopping)
    {
        var outcome = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        stopping.Register(() => outcome.TrySetCanceled(stopping));
        _begun.Enqueue(outcome);
        _arrived.Release();
        return outcome.Task;
    }

    public void Dispose() => _arrived.Dispose();

    /// <summary>The next work that somebody began, in order.</summary>
    public async Task<TaskCompletionSource<string>> NextAsync(CancellationToken cancellation)
    {
        await _arrived.WaitAsync(cancellation);
        return _begun.TryDequeue(out var begun) ? begun : throw new InvalidOperationException("nothing was begun");
    }
}

public sealed class JobActor(NamespaceName space, string id, ReadModel<JobView> views, JobWork work, TimeProvider clock)
    : EntityActor<JobState, JobView>("job", space, id, new JobState(id), views, clock)
{
    protected override async Task<object?> RunAsync(IEffect effect, CancellationToken stopping) => await work.RunAsync(stopping);
}

public sealed class JobManager(NamespaceName space, IJournalCatalog catalog, ReadModel<JobView> views, JobWork work)
    : EntityManager("job", space, catalog)
{
    public static Props Props(NamespaceName space, IJournalCatalog catalog, ReadModel<JobView> views, JobWork work) =>
        Akka.Actor.Props.Create(() => new JobManager(space, catalog, views, work));

    protected override Props PropsFor(string entityId) =>
        Akka.Actor.Props.Create(() => new JobActor(Space, entityId, views, work, TimeProvider.System));

    protected override bool Creates(IEntityCommand command) => command is CreateJob or ForbidJob;

    protected override object MissingReply(IEntityCommand command) =>
        new Rejected(FaultKind.NotFound, "job.unknown", $"No job {command.EntityId}.");

    protected override void OnOther(object message)
    {
        if (message is "children") Sender.Tell(Context.GetChildren().Select(child => child.Path.Name).ToArray());
        else Unhandled(message);
    }
}
