using System.Diagnostics;
using Akka.Actor;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;

namespace Runtime.Actors.Records;

/// <summary>Owns one container record. Parent: RecordManager. It has no effects, and a restart loses nothing.</summary>
internal sealed class RecordActor(NamespaceName space, string id, RecordSlice slice)
    : EntityActor<RecordState, ContainerRecord>(RecordSlice.Kind, space, id, RecordState.Empty, slice.Views, slice.Clock)
{
    public static Props Props(NamespaceName space, string id, RecordSlice slice) =>
        Akka.Actor.Props.Create(() => new RecordActor(space, id, slice));

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping) =>
        throw new UnreachableException(effect.GetType().Name);
}

/// <summary>The container records of one namespace. Parent: the namespace.</summary>
internal sealed class RecordManager(NamespaceName space, RecordSlice slice) : EntityManager(RecordSlice.Kind, space, slice.Catalog)
{
    public static Props Props(NamespaceName space, RecordSlice slice) =>
        Akka.Actor.Props.Create(() => new RecordManager(space, slice));

    protected override Props PropsFor(string entityId) => RecordActor.Props(Space, entityId, slice);

    protected override bool Creates(IEntityCommand command) => command is CreateRecord && RefusalOf(command) is null;

    protected override object MissingReply(IEntityCommand command) => RefusalOf(command) ?? new Rejected(RecordFaults.Missing(Space, command.EntityId));

    // Pods' containers and sandboxes are listed beside the records: an id means one thing.
    private Rejected? RefusalOf(IEntityCommand command) => command switch
    {
        CreateRecord create when RecordFaults.Refuse(create.Record) is { } fault => new Rejected(fault),
        CreateRecord when IsOfPod(command.EntityId) => new Rejected(RecordFaults.Exists(command.EntityId)),
        _ when IsOfPod(command.EntityId) => new Rejected(RecordFaults.OfPod(command.EntityId)),
        _ => null,
    };

    private bool IsOfPod(string id) => slice.Containers.Find(Space, id) is not null || slice.Sandboxes.Find(Space, id) is not null;
}

/// <summary>What the container records of every namespace share.</summary>
/// <param name="Containers">Of pods.</param>
public sealed record RecordSlice(
    ReadModel<ContainerRecord> Views, ReadModel<ContainerView> Containers, ReadModel<SandboxView> Sandboxes, IJournalCatalog Catalog,
    TimeProvider Clock)
{
    /// <summary>First part of persistence ids.</summary>
    public const string Kind = "container-record";

    /// <summary>The manager's actor name.</summary>
    public const string Name = "container-records";

    public NamespaceSlice Create() => new(Name, typeof(IRecordCommand), space => RecordManager.Props(space, this));
}
