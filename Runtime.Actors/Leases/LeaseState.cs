using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Faults;

namespace Runtime.Actors.Leases;

/// <summary>Lets a lease's time pass.</summary>
public sealed record AwaitExpiry(DateTimeOffset At) : IEffect;

/// <summary>One lease: <c>None --Create--> there --Delete, its time is over--> Ended</c>.</summary>
public sealed record LeaseState : IEntityState<LeaseState, LeaseView>
{
    public static readonly LeaseState Empty = new();

    public LeaseView? View { get; init; }

    public bool Ended { get; init; }

    public LeaseState Apply(IDomainEvent recorded) => recorded switch
    {
        LeaseCreated created => this with { View = new(created.Id, created.Labels, created.At, []) },
        LeaseResourcesAdded added => this with { View = View! with { Resources = View.Resources.Union(added.Resources) } },
        LeaseResourcesRemoved removed => this with { View = View! with { Resources = View.Resources.Except(removed.Resources) } },
        LeaseEnded => new() { Ended = true },
        _ => this,
    };

    public Decision Decide(object command, DateTimeOffset now) => (command, View) switch
    {
        (CreateLease create, null) => Create(create, now),
        (CreateLease create, _) => Decision.Reject(
            FaultKind.AlreadyExists, "lease.exists", $"lease \"{create.EntityId}\": already exists"),
        (AddLeaseResources add, { } known) => Change(known, add.Resources.Except(known.Resources), new LeaseResourcesAdded([], now)),
        (RemoveLeaseResources remove, { } known) =>
            Change(known, remove.Resources.Intersect(known.Resources), new LeaseResourcesRemoved([], now)),
        (DeleteLease, { } known) => Decision.Accept([new LeaseEnded(Expired: false, now)], [], new LeaseDeleted(known.Id)),
        (EffectDone { Effect: AwaitExpiry }, not null) => Decision.Accept([new LeaseEnded(Expired: true, now)], []),
        (ILeaseCommand other, null) => Decision.Reject(Missing(other.EntityId)),
        _ => Decision.Nothing,
    };

    public ImmutableArray<IEffect> Unfinished() => View?.ExpiresAt is { } at ? [new AwaitExpiry(at)] : [];

    internal static RuntimeFault Missing(string id) => new(FaultKind.NotFound, "lease.not-found", $"lease \"{id}\": not found");

    private static Decision Create(CreateLease create, DateTimeOffset now)
    {
        var made = new LeaseView(create.EntityId, create.Labels, now, []);
        return Decision.Accept(
            [new LeaseCreated(made.Id, made.Labels, now)], made.ExpiresAt is { } at ? [new AwaitExpiry(at)] : [], made);
    }

    private Decision Change(LeaseView known, IEnumerable<LeaseResource> changed, IDomainEvent change)
    {
        ImmutableArray<LeaseResource> resources = [.. changed.Distinct()];
        if (resources.IsEmpty) return Decision.Answering(known);
        IDomainEvent stored = change switch
        {
            LeaseResourcesAdded added => added with { Resources = resources },
            LeaseResourcesRemoved removed => removed with { Resources = resources },
            _ => change,
        };
        return Decision.Accept([stored], [], Apply(stored).View);
    }
}
