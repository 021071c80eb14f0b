using System.Diagnostics;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;

namespace Runtime.Actors.SandboxRecords;

/// <summary>Owns one sandbox record. Parent: SandboxRecordManager. It has no effects, and a restart loses nothing.</summary>
internal sealed class SandboxRecordActor(NamespaceName space, string id, SandboxRecordSlice slice)
    : EntityActor<SandboxRecordState, SandboxRecord>(
        SandboxRecordSlice.Kind, space, id, SandboxRecordState.Empty, slice.Views, slice.Clock)
{
    public static Props Props(NamespaceName space, string id, SandboxRecordSlice slice) =>
        Akka.Actor.Props.Create(() => new SandboxRecordActor(space, id, slice));

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping) =>
        throw new UnreachableException(effect.GetType().Name);
}

/// <summary>The sandbox records of one namespace. Parent: the namespace.</summary>
internal sealed class SandboxRecordManager(NamespaceName space, SandboxRecordSlice slice)
    : EntityManager(SandboxRecordSlice.Kind, space, slice.Catalog)
{
    public static Props Props(NamespaceName space, SandboxRecordSlice slice) =>
        Akka.Actor.Props.Create(() => new SandboxRecordManager(space, slice));

    protected override Props PropsFor(string entityId) => SandboxRecordActor.Props(Space, entityId, slice);

    protected override bool Creates(IEntityCommand command) => command is CreateSandboxRecord && !IsPod(command.EntityId);

    protected override object MissingReply(IEntityCommand command) => command switch
    {
        CreateSandboxRecord => new Rejected(SandboxRecordState.Exists(command.EntityId)),
        _ when IsPod(command.EntityId) => new Rejected(FaultKind.FailedPrecondition, "sandbox.of-pod",
            $"sandbox \"{command.EntityId}\" is a pod's, and is changed and removed through CRI: failed precondition"),
        _ => new Rejected(SandboxRecordState.Missing(command.EntityId)),
    };

    // Pods' sandboxes are listed beside the records: an id means one thing.
    private bool IsPod(string id) => slice.Sandboxes.Find(Space, id) is not null;
}

/// <summary>What the sandbox records of every namespace share.</summary>
/// <param name="Sandboxes">Of pods.</param>
public sealed record SandboxRecordSlice(
    ReadModel<SandboxRecord> Views, ReadModel<SandboxView> Sandboxes, IJournalCatalog Catalog, TimeProvider Clock)
{
    /// <summary>First part of persistence ids.</summary>
    public const string Kind = "sandbox-record";

    /// <summary>The manager's actor name.</summary>
    public const string Name = "sandbox-records";

    public NamespaceSlice Create() => new(Name, typeof(ISandboxRecordCommand), space => SandboxRecordManager.Props(space, this));
}
