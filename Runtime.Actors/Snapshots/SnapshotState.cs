using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Snapshots;

public enum SnapshotPhase
{
    None,

    /// <summary>Its directory is being made.</summary>
    Preparing,

    /// <summary>Active or a view: can be mounted.</summary>
    Ready,

    /// <summary>Its directory is going to a committed name.</summary>
    Committing,

    /// <summary>Never changes; others may build on it.</summary>
    Committed,
    Gone,
}

/// <summary>
/// One key of one snapshotter. What needs to know of other snapshots (parents, children) is the manager's.
/// <code>
/// None --Prepare, View--> Preparing --directory made--> Ready --Commit--> Committing --adopted by the name--> Gone
///                             '--failed--> Gone           ^                   '--name in use--'
/// None --Adopt--> Committed                               '-----------------------'
/// Ready, Committed --Remove--> Gone
/// </code>
/// </summary>
public sealed record SnapshotState(NamespaceName Space, string EntityId) : IEntityState<SnapshotState, SnapshotView>
{
    /// <summary>On what a pull or import unpacks into: recovery removes it, because who was unpacking is gone.</summary>
    public const string UnpackingLabel = "actord.io/unpacking";

    private const string ReadyJoin = "ready";
    private const string CommitJoin = "commit";

    public SnapshotPhase Phase { get; init; }

    public SnapshotView? Facts { get; init; }

    /// <summary>Numbers of the parent, its parent and so on; only while it is being made.</summary>
    public ImmutableArray<long> Chain { get; init; } = [];

    public SnapshotCommitRequested? Commit { get; init; }

    public SnapshotView? View => Phase is SnapshotPhase.Preparing ? null : Facts;

    public bool Ended => Phase is SnapshotPhase.Gone;

    public SnapshotState Apply(IDomainEvent recorded) => recorded switch
    {
        SnapshotPrepared made => this with
        {
            Phase = SnapshotPhase.Preparing,
            Facts = new(made.Key, made.Snapshotter, made.Parent, made.Kind, made.At, made.At, made.Labels) { Number = made.Number },
            Chain = made.Chain,
        },
        SnapshotBecameReady => this with { Phase = SnapshotPhase.Ready, Chain = [] },
        SnapshotCommitRequested requested => this with { Phase = SnapshotPhase.Committing, Commit = requested },
        SnapshotCommitRefused => this with { Phase = SnapshotPhase.Ready, Commit = null },
        SnapshotWasCommitted made => this with
        {
            Phase = SnapshotPhase.Committed,
            Facts = new(made.Key, made.Snapshotter, made.Parent, SnapshotKind.Committed, made.At, made.At, made.Labels)
            {
                Number = made.Number,
            },
        },
        SnapshotLabelsChanged changed => this with { Facts = Facts! with { Labels = changed.Labels, UpdatedAt = changed.At } },
        SnapshotHandedOver or SnapshotWasRemoved => this with { Phase = SnapshotPhase.Gone },
        _ => this,
    };

    public Decision Decide(object command, DateTimeOffset now) => command switch
    {
        SnapshotRequest request => Decide(request, now),
        AdoptSnapshot adopt => Adopt(adopt, now),
        EffectDone { Effect: MakeSnapshotDirectory } when Phase is SnapshotPhase.Preparing =>
            Decision.Accept([new SnapshotBecameReady(now)], []).AndAnswer(ReadyJoin, new SnapshotReady()),
        EffectFailed { Effect: MakeSnapshotDirectory } failed when Phase is SnapshotPhase.Preparing =>
            Decision.Accept([new SnapshotWasRemoved(failed.Fault.Message, now)], [Discard()])
                .AndAnswer(ReadyJoin, new Rejected(failed.Fault)),
        EffectDone { Effect: AbandonUnpacking } when Phase is SnapshotPhase.Preparing or SnapshotPhase.Ready =>
            Decision.Accept([new SnapshotWasRemoved("The daemon stopped while a layer was unpacked into it.", now)], [Discard()]),
        SnapshotCommitted committed when Phase is SnapshotPhase.Committing =>
            Decision.Accept([new SnapshotHandedOver(committed.Name, now)], []).AndAnswer(CommitJoin, committed),
        Rejected refused when Phase is SnapshotPhase.Committing =>
            Decision.Accept([new SnapshotCommitRefused(now)], []).AndAnswer(CommitJoin, refused),
        _ => Decision.Nothing,
    };

    public ImmutableArray<IEffect> Unfinished() => Phase switch
    {
        SnapshotPhase.Preparing or SnapshotPhase.Ready when Facts!.Labels.ContainsKey(UnpackingLabel) => [new AbandonUnpacking()],
        SnapshotPhase.Preparing => [Make()],
        SnapshotPhase.Committing => [HandOver(Commit!)],
        _ => [],
    };

    private Decision Decide(SnapshotRequest request, DateTimeOffset now) => (request.Command, Phase) switch
    {
        (PrepareSnapshot prepare, SnapshotPhase.None) =>
            Begin(request, SnapshotKind.Active, prepare.Parent, prepare.Labels, now),
        (ViewSnapshot view, SnapshotPhase.None) => Begin(request, SnapshotKind.View, view.Parent, view.Labels, now),
        (PrepareSnapshot or ViewSnapshot, _) =>
            Decision.Reject(FaultKind.AlreadyExists, "snapshot.exists", $"Snapshot \"{request.Command.EntityId}\" exists already."),
        (_, SnapshotPhase.None or SnapshotPhase.Gone) => Missing(request.Command),
        (CommitSnapshot commit, SnapshotPhase.Ready) when Facts!.Kind is SnapshotKind.Active => BeginCommit(commit, now),
        (CommitSnapshot commit, SnapshotPhase.Committing) when Commit!.Name == commit.Name =>
            Decision.Waiting(CommitJoin, effects: [HandOver(Commit)]),
        (RemoveSnapshot, SnapshotPhase.Ready or SnapshotPhase.Committed) =>
            Decision.Accept([new SnapshotWasRemoved("", now)], [Discard()], new SnapshotRemoved(Facts!.Key)),
        (SetSnapshotLabels set, SnapshotPhase.Ready or SnapshotPhase.Committed) => Relabel(set, now),
        (_, SnapshotPhase.Preparing or SnapshotPhase.Committing) => Decision.Reject(
            FaultKind.Unavailable, "snapshot.busy", $"Snapshot \"{Facts!.Key}\" is {Phase}: try again when that is done."),
        _ => Decision.Reject(
            FaultKind.FailedPrecondition, "snapshot.wrong-kind",
            $"Cannot {request.Command.GetType().Name}: snapshot \"{Facts!.Key}\" is {Facts.Kind}."),
    };

    private static Decision Begin(
        SnapshotRequest request, SnapshotKind kind, string parent, ImmutableSortedDictionary<string, string> labels,
        DateTimeOffset now)
    {
        var command = request.Command;
        return Decision.Waiting(
            ReadyJoin,
            [new SnapshotPrepared(
                command.Snapshotter, command.EntityId, kind, parent, request.Number, request.Chain, labels, now)],
            [new MakeSnapshotDirectory(command.Snapshotter, kind, request.Number, request.Chain)]);
    }

    private Decision BeginCommit(CommitSnapshot commit, DateTimeOffset now)
    {
        if (commit.Parent.Length > 0 && Facts!.Parent.Length > 0)
        {
            return Decision.Reject(
                FaultKind.FailedPrecondition, "snapshot.has-parent",
                $"Snapshot \"{Facts.Key}\" has the parent \"{Facts.Parent}\" and cannot be stacked on \"{commit.Parent}\".");
        }
        var parent = commit.Parent.Length > 0 ? commit.Parent : Facts!.Parent;
        var requested = new SnapshotCommitRequested(commit.Name, parent, commit.Labels, now);
        return Decision.Waiting(CommitJoin, [requested], [HandOver(requested)]);
    }

    private Decision Adopt(AdoptSnapshot adopt, DateTimeOffset now)
    {
        var done = new SnapshotCommitted(adopt.Key);
        if (Phase is SnapshotPhase.None)
        {
            return Decision.Accept(
                [new SnapshotWasCommitted(adopt.Snapshotter, adopt.Key, adopt.Parent, adopt.Number, adopt.Labels, now)], [], done);
        }
        // The one who hands over may have died before it heard the answer.
        return Phase is SnapshotPhase.Committed && Facts!.Number == adopt.Number
            ? Decision.Answering(done)
            : Decision.Reject(FaultKind.AlreadyExists, "snapshot.exists", $"Snapshot \"{adopt.Key}\" exists already.");
    }

    private Decision Relabel(SetSnapshotLabels set, DateTimeOffset now)
    {
        var names = set.Names.IsDefault ? Facts!.Labels.Keys.Concat(set.Labels.Keys) : set.Names;
        var labels = Facts!.Labels.RemoveRange(names).SetItems(set.Labels.Where(label => names.Contains(label.Key)));
        return Decision.Accept(
            [new SnapshotLabelsChanged(labels, now)], [], Facts with { Labels = labels, UpdatedAt = now });
    }

    private static Decision Missing(ISnapshotCommand command) =>
        Decision.Reject(FaultKind.NotFound, "snapshot.not-found", $"Snapshot \"{command.EntityId}\" does not exist.");

    private MakeSnapshotDirectory Make() => new(Facts!.Snapshotter, Facts.Kind, Facts.Number, Chain);

    private DiscardSnapshotDirectory Discard() => new(Facts!.Snapshotter, Facts.Number);

    private AdoptSnapshot HandOver(SnapshotCommitRequested requested) => new(
        Space, SnapshotId.Of(Facts!.Snapshotter, requested.Name), Facts.Snapshotter, requested.Name, requested.Parent,
        Facts.Number, requested.Labels);
}
