using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.SandboxRecords;

/// <summary>Every command about a sandbox record. Failures answer <see cref="Rejected"/>.</summary>
public interface ISandboxRecordCommand : IEntityCommand;

/// <summary>Stores a new record; answers the <see cref="SandboxRecord"/>, AlreadyExists for an id in use, also by a pod.</summary>
public sealed record CreateSandboxRecord(NamespaceName Space, SandboxRecord Record) : ISandboxRecordCommand
{
    public string EntityId => Record.Id;
}

/// <summary>Changes a record; answers the <see cref="SandboxRecord"/>. InvalidArgument for a path of a field that cannot change.</summary>
/// <param name="Record">Has the new values.</param>
/// <param name="Paths">
/// Of <c>labels</c>, <c>labels.KEY</c>, <c>extensions</c>, <c>extensions.KEY</c>, <c>spec</c> and <c>runtime</c>. Empty: all of them.
/// </param>
public sealed record UpdateSandboxRecord(NamespaceName Space, SandboxRecord Record, ImmutableArray<string> Paths) : ISandboxRecordCommand
{
    public string EntityId => Record.Id;
}

/// <summary>Removes a record; answers <see cref="SandboxRecordDeleted"/>, NotFound for an unknown one.</summary>
public sealed record DeleteSandboxRecord(NamespaceName Space, string EntityId) : ISandboxRecordCommand;

public sealed record SandboxRecordDeleted(string Id);

/// <summary>A sandbox as a client of containerd's services describes it. Nothing of it is interpreted.</summary>
public sealed record SandboxRecord
{
    /// <summary>An identifier, as a namespace's name.</summary>
    public required string Id { get; init; }

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = Entities.Labels.None;

    /// <summary><c>io.containerd.runc.v2</c> and the like.</summary>
    public string Runtime { get; init; } = "";

    public AnyValue? RuntimeOptions { get; init; }

    public AnyValue? Spec { get; init; }

    public ImmutableSortedDictionary<string, AnyValue> Extensions { get; init; } =
        ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal);

    /// <summary>Name of the controller that runs it; empty for the default.</summary>
    public string Sandboxer { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }
}
