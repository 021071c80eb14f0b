using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.SandboxRecords;

/// <summary>One sandbox record: <c>None --Create--> there --Delete--> Ended</c>.</summary>
public sealed record SandboxRecordState : IEntityState<SandboxRecordState, SandboxRecord>
{
    public static readonly SandboxRecordState Empty = new();

    private const string LabelPath = "labels.";
    private const string ExtensionPath = "extensions.";

    private static readonly ImmutableArray<string> Mutable = ["labels", "extensions", "spec", "runtime"];

    public SandboxRecord? View { get; init; }

    public bool Ended { get; init; }

    public SandboxRecordState Apply(IDomainEvent recorded) => recorded switch
    {
        SandboxRecordCreated created => this with { View = created.Record },
        SandboxRecordUpdated updated => this with { View = With(View!, updated) },
        SandboxRecordRemoved => new() { Ended = true },
        _ => this,
    };

    public Decision Decide(object command, DateTimeOffset now) => (command, View) switch
    {
        (CreateSandboxRecord create, null) => Create(create.Record with { CreatedAt = now, UpdatedAt = now }),
        (CreateSandboxRecord create, _) => Decision.Reject(Exists(create.EntityId)),
        (UpdateSandboxRecord update, { } known) => Update(update, known, now),
        (DeleteSandboxRecord, { } known) => Decision.Accept([new SandboxRecordRemoved(now)], [], new SandboxRecordDeleted(known.Id)),
        (ISandboxRecordCommand other, null) => Decision.Reject(Missing(other.EntityId)),
        _ => Decision.Nothing,
    };

    public ImmutableArray<IEffect> Unfinished() => [];

    internal static RuntimeFault Missing(string id) => new(FaultKind.NotFound, "sandbox.not-found", $"sandbox \"{id}\": not found");

    internal static RuntimeFault Exists(string id) => new(FaultKind.AlreadyExists, "sandbox.exists", $"sandbox \"{id}\": already exists");

    private static Decision Create(SandboxRecord record) => NamespaceName.IsIdentifier(record.Id)
        ? Decision.Accept([new SandboxRecordCreated(record)], [], record)
        : Decision.Reject(Invalid(record.Id, $"its id must be 1 to {NamespaceName.LengthMax} letters and digits, joined by '.', '-' or '_'"));

    private static Decision Update(UpdateSandboxRecord update, SandboxRecord known, DateTimeOffset now)
    {
        var changed = known;
        foreach (var path in update.Paths.IsEmpty ? Mutable : update.Paths)
        {
            if (path == "runtime" && update.Record.Runtime != known.Runtime)
                return Decision.Reject(Invalid(known.Id, "field runtime.name cannot be changed"));
            if (With(changed, update.Record, path) is not { } next)
                return Decision.Reject(Invalid(known.Id, $"field {path} cannot be changed"));
            changed = next;
        }
        var updated = new SandboxRecordUpdated(now)
        {
            Labels = ReferenceEquals(changed.Labels, known.Labels) ? null : changed.Labels,
            Extensions = ReferenceEquals(changed.Extensions, known.Extensions) ? null : changed.Extensions,
            Spec = ReferenceEquals(changed.Spec, known.Spec) ? null : changed.Spec,
            RuntimeOptions = ReferenceEquals(changed.RuntimeOptions, known.RuntimeOptions) ? null : changed.RuntimeOptions,
        };
        return Decision.Accept([updated], [], With(known, updated));
    }

    /// <summary>The record with what is at a path of the given one; null where that cannot change.</summary>
    private static SandboxRecord? With(SandboxRecord record, SandboxRecord given, string path) => path switch
    {
        "labels" => record with { Labels = given.Labels },
        "extensions" => record with { Extensions = given.Extensions },
        "spec" => record with { Spec = given.Spec },
        "runtime" => record with { RuntimeOptions = given.RuntimeOptions },
        _ when path.StartsWith(LabelPath, StringComparison.Ordinal) =>
            record with { Labels = record.Labels.Replace(given.Labels, [path[LabelPath.Length..]]) },
        _ when path.StartsWith(ExtensionPath, StringComparison.Ordinal) => WithExtension(record, given, path[ExtensionPath.Length..]),
        _ => null,
    };

    private static SandboxRecord WithExtension(SandboxRecord record, SandboxRecord given, string key) => record with
    {
        Extensions = given.Extensions.TryGetValue(key, out var extension)
            ? record.Extensions.SetItem(key, extension)
            : record.Extensions.Remove(key),
    };

    private static SandboxRecord With(SandboxRecord record, SandboxRecordUpdated updated) => record with
    {
        Labels = updated.Labels ?? record.Labels,
        Extensions = updated.Extensions ?? record.Extensions,
        Spec = updated.Spec ?? record.Spec,
        RuntimeOptions = updated.RuntimeOptions ?? record.RuntimeOptions,
        UpdatedAt = updated.At,
    };

    private static RuntimeFault Invalid(string id, string what) =>
        new(FaultKind.InvalidArgument, "sandbox.invalid-record", $"sandbox \"{id}\": {what}: invalid argument");
}
