using System.Diagnostics;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Leases;

/// <summary>Owns one lease. Parent: LeaseManager. A restart loses nothing: a time that is over meanwhile ends it then.</summary>
internal sealed class LeaseActor(NamespaceName space, string id, LeaseSlice slice)
    : EntityActor<LeaseState, LeaseView>(LeaseSlice.Kind, space, id, LeaseState.Empty, slice.Views, slice.Clock)
{
    /// <summary>A timer takes no more than some weeks.</summary>
    private static readonly TimeSpan DelayMax = TimeSpan.FromDays(30);

    public static Props Props(NamespaceName space, string id, LeaseSlice slice) =>
        Akka.Actor.Props.Create(() => new LeaseActor(space, id, slice));

    protected override async Task<object?> RunAsync(IEffect effect, CancellationToken stopping)
    {
        if (effect is not AwaitExpiry expiry) throw new UnreachableException(effect.GetType().Name);
        for (TimeSpan left; (left = expiry.At - slice.Clock.GetUtcNow()) > TimeSpan.Zero;)
            await Task.Delay(left < DelayMax ? left : DelayMax, slice.Clock, stopping);
        return null;
    }
}

/// <summary>The leases of one namespace. Parent: the namespace.</summary>
internal sealed class LeaseManager(NamespaceName space, LeaseSlice slice) : EntityManager(LeaseSlice.Kind, space, slice.Catalog)
{
    /// <summary>Of an id: clients make them of digests and image names.</summary>
    private const int IdLengthMax = 1024;

    public static Props Props(NamespaceName space, LeaseSlice slice) =>
        Akka.Actor.Props.Create(() => new LeaseManager(space, slice));

    protected override Props PropsFor(string entityId) => LeaseActor.Props(Space, entityId, slice);

    protected override bool Creates(IEntityCommand command) => command is CreateLease { EntityId.Length: > 0 and <= IdLengthMax };

    protected override object MissingReply(IEntityCommand command) => command is CreateLease
        ? new Rejected(FaultKind.InvalidArgument, "lease.invalid-id", $"A lease's id has 1 to {IdLengthMax} characters.")
        : new Rejected(LeaseState.Missing(command.EntityId));
}

/// <summary>What the leases of every namespace share.</summary>
public sealed record LeaseSlice(ReadModel<LeaseView> Views, IJournalCatalog Catalog, TimeProvider Clock)
{
    /// <summary>First part of persistence ids.</summary>
    public const string Kind = "lease";

    /// <summary>The manager's actor name.</summary>
    public const string Name = "leases";

    public NamespaceSlice Create() => new(Name, typeof(ILeaseCommand), space => LeaseManager.Props(space, this));
}
