using System.Diagnostics;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Actors.Namespaces;

/// <summary>Owns what is known of one namespace itself. Parent: NamespaceRecordManager. It has no effects, and a restart loses nothing.</summary>
internal sealed class NamespaceRecordActor(NamespaceName space, NamespaceRecordSlice slice)
    : EntityActor<NamespaceState, NamespaceView>(
        NamespaceRecordSlice.Kind, space, NamespaceView.Id, NamespaceState.Empty, slice.Views, slice.Clock)
{
    public static Props Props(NamespaceName space, NamespaceRecordSlice slice) =>
        Akka.Actor.Props.Create(() => new NamespaceRecordActor(space, slice));

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping) =>
        throw new UnreachableException(effect.GetType().Name);
}

/// <summary>Creates the one record of its namespace. Parent: the namespace.</summary>
internal sealed class NamespaceRecordManager(NamespaceName space, NamespaceRecordSlice slice)
    : EntityManager(NamespaceRecordSlice.Kind, space, slice.Catalog)
{
    public static Props Props(NamespaceName space, NamespaceRecordSlice slice) =>
        Akka.Actor.Props.Create(() => new NamespaceRecordManager(space, slice));

    protected override Props PropsFor(string entityId) => NamespaceRecordActor.Props(Space, slice);

    protected override bool Creates(IEntityCommand command) => command is CreateNamespace or SetNamespaceLabels;

    protected override object MissingReply(IEntityCommand command) => new Rejected(NamespaceState.Missing(Space));
}

/// <summary>What the records of all namespaces share.</summary>
public sealed record NamespaceRecordSlice(ReadModel<NamespaceView> Views, IJournalCatalog Catalog, TimeProvider Clock)
{
    /// <summary>First part of persistence ids.</summary>
    public const string Kind = "namespace";

    /// <summary>The manager's actor name.</summary>
    public const string Name = "namespace-record";

    public NamespaceSlice Create() => new(Name, typeof(INamespaceCommand), space => NamespaceRecordManager.Props(space, this));
}
