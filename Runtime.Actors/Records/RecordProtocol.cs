using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Records;

/// <summary>Every command about a container record. Failures answer <see cref="Rejected"/>.</summary>
public interface IRecordCommand : IEntityCommand;

/// <summary>Stores a new record; answers the <see cref="ContainerRecord"/>, AlreadyExists for an id in use, also by a pod's container.</summary>
public sealed record CreateRecord(NamespaceName Space, ContainerRecord Record) : IRecordCommand
{
    public string EntityId => Record.Id;
}

/// <summary>
/// Changes a record; answers the <see cref="ContainerRecord"/>. InvalidArgument for a path of a field that cannot change.
/// </summary>
/// <param name="Record">Has the new values.</param>
/// <param name="Paths">
/// Of <c>labels</c>, <c>labels.KEY</c>, <c>spec</c>, <c>extensions</c>, <c>extensions.KEY</c>, <c>image</c> and
/// <c>snapshotkey</c>. Empty: all that can change, and what cannot has to be as it is.
/// </param>
public sealed record UpdateRecord(NamespaceName Space, ContainerRecord Record, ImmutableArray<string> Paths) : IRecordCommand
{
    public string EntityId => Record.Id;
}

/// <summary>Removes a record; answers <see cref="RecordDeleted"/>, NotFound for an unknown one.</summary>
public sealed record DeleteRecord(NamespaceName Space, string EntityId) : IRecordCommand;

public sealed record RecordDeleted(string Id);

/// <summary>
/// A container as a client of containerd's services describes it. Nothing runs yet, and nothing of it is interpreted: the
/// client makes the snapshot, and a task is made of the spec.
/// </summary>
public sealed record ContainerRecord
{
    /// <summary>An identifier, as a namespace's name.</summary>
    public required string Id { get; init; }

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Entities.Labels.None;

    /// <summary>A name of the namespace's images; not checked.</summary>
    public string Image { get; init; } = "";

    /// <summary><c>io.containerd.runc.v2</c> and the like.</summary>
    public string Runtime { get; init; } = "";

    public AnyValue? RuntimeOptions { get; init; }

    /// <summary>OCI runtime spec, JSON.</summary>
    public AnyValue? Spec { get; init; }

    public string Snapshotter { get; init; } = "";

    /// <summary>The writable layer; empty for none.</summary>
    public string SnapshotKey { get; init; } = "";

    public ImmutableSortedDictionary<string, AnyValue> Extensions { get; init; } =
        ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal);

    /// <summary>Id of the sandbox that it belongs to; empty for none.</summary>
    public string Sandbox { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }
}
