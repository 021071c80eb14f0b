using System.Collections.Immutable;
using Runtime.Actors.Entities;

namespace Runtime.Actors.Records;

/// <summary>One container record: <c>None --Create--> there --Delete--> Ended</c>. What runs of it is a task's concern.</summary>
public sealed record RecordState : IEntityState<RecordState, ContainerRecord>
{
    public static readonly RecordState Empty = new();

    private const string LabelPath = "labels.";
    private const string ExtensionPath = "extensions.";

    private static readonly ImmutableArray<string> Mutable = ["labels", "spec", "extensions", "image", "snapshotkey"];

    public ContainerRecord? View { get; init; }

    public bool Ended { get; init; }

    public RecordState Apply(IDomainEvent recorded) => recorded switch
    {
        ContainerRecordCreated created => this with { View = created.Record },
        ContainerRecordUpdated updated => this with { View = With(View!, updated) },
        ContainerRecordDeleted => new() { Ended = true },
        _ => this,
    };

    public Decision Decide(object command, DateTimeOffset now) => (command, View) switch
    {
        (CreateRecord create, null) => Create(create.Record with { CreatedAt = now, UpdatedAt = now }),
        (CreateRecord create, _) => Decision.Reject(RecordFaults.Exists(create.EntityId)),
        (UpdateRecord update, { } known) => Update(update, known, now),
        (DeleteRecord, { } known) => Decision.Accept([new ContainerRecordDeleted(now)], [], new RecordDeleted(known.Id)),
        (IRecordCommand other, null) => Decision.Reject(RecordFaults.Missing(other.Space, other.EntityId)),
        _ => Decision.Nothing,
    };

    public ImmutableArray<IEffect> Unfinished() => [];

    private static Decision Create(ContainerRecord record) => RecordFaults.Refuse(record) is { } fault
        ? Decision.Reject(fault)
        : Decision.Accept([new ContainerRecordCreated(record)], [], record);

    private static Decision Update(UpdateRecord update, ContainerRecord known, DateTimeOffset now)
    {
        var given = update.Record;
        if (update.Paths.IsEmpty && (given.Snapshotter != known.Snapshotter || given.Runtime != known.Runtime))
            return Decision.Reject(RecordFaults.Immutable(known.Id, given.Snapshotter != known.Snapshotter ? "snapshotter" : "runtime.name"));
        var changed = known;
        foreach (var path in update.Paths.IsEmpty ? Mutable : update.Paths)
        {
            if (With(changed, given, path) is not { } next) return Decision.Reject(RecordFaults.Immutable(known.Id, path));
            changed = next;
        }
        if (RecordFaults.Refuse(changed) is { } fault) return Decision.Reject(fault);
        var updated = new ContainerRecordUpdated(now)
        {
            Labels = ReferenceEquals(changed.Labels, known.Labels) ? null : changed.Labels,
            Spec = ReferenceEquals(changed.Spec, known.Spec) ? null : changed.Spec,
            Extensions = ReferenceEquals(changed.Extensions, known.Extensions) ? null : changed.Extensions,
            Image = changed.Image == known.Image ? null : changed.Image,
            SnapshotKey = changed.SnapshotKey == known.SnapshotKey ? null : changed.SnapshotKey,
        };
        return Decision.Accept([updated], [], With(known, updated));
    }

    /// <summary>The record with what is at a path of the given one; null where that cannot change.</summary>
    private static ContainerRecord? With(ContainerRecord record, ContainerRecord given, string path) => path switch
    {
        "labels" => record with { Labels = given.Labels },
        "spec" => record with { Spec = given.Spec },
        "extensions" => record with { Extensions = given.Extensions },
        "image" => record with { Image = given.Image },
        "snapshotkey" => record with { SnapshotKey = given.SnapshotKey },
        _ when path.StartsWith(LabelPath, StringComparison.Ordinal) =>
            record with { Labels = record.Labels.Replace(given.Labels, [path[LabelPath.Length..]]) },
        _ when path.StartsWith(ExtensionPath, StringComparison.Ordinal) => WithExtension(record, given, path[ExtensionPath.Length..]),
        _ => null,
    };

    private static ContainerRecord WithExtension(ContainerRecord record, ContainerRecord given, string key) => record with
    {
        Extensions = given.Extensions.TryGetValue(key, out var extension)
            ? record.Extensions.SetItem(key, extension)
            : record.Extensions.Remove(key),
    };

    private static ContainerRecord With(ContainerRecord record, ContainerRecordUpdated updated) => record with
    {
        Labels = updated.Labels ?? record.Labels,
        Spec = updated.Spec ?? record.Spec,
        Extensions = updated.Extensions ?? record.Extensions,
        Image = updated.Image ?? record.Image,
        SnapshotKey = updated.SnapshotKey ?? record.SnapshotKey,
        UpdatedAt = updated.At,
    };
}
