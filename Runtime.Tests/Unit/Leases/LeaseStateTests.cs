using System.Globalization;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Leases;

public sealed class LeaseStateTests
{
    private static readonly NamespaceName Space = new("t");
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly LeaseResource Blob = LeaseResource.Content("sha256:1");
    private static readonly LeaseResource Layer = LeaseResource.Snapshot("overlayfs", "one");

    [Fact]
    public void A_lease_holds_each_object_once_until_it_is_taken_out()
    {
        var state = After(LeaseState.Empty, new CreateLease(Space, "l", Labels.None));
        state = After(state, new AddLeaseResources(Space, "l", [Blob, Layer, Blob]));

        Assert.Equal(2, state.View!.Resources.Count);
        Assert.Empty(state.Decide(new AddLeaseResources(Space, "l", [Layer]), Now).Events);
        state = After(state, new RemoveLeaseResources(Space, "l", [Blob]));
        Assert.Equal(Layer, Assert.Single(state.View!.Resources));
        Assert.Empty(state.Decide(new RemoveLeaseResources(Space, "l", [Blob]), Now).Events);
    }

    [Fact]
    public void An_id_in_use_is_refused_and_an_unknown_one_is_not_found()
    {
        var state = After(LeaseState.Empty, new CreateLease(Space, "l", Labels.None));

        Assert.Equal(FaultKind.AlreadyExists, FaultOf(state.Decide(new CreateLease(Space, "l", Labels.None), Now)));
        Assert.Equal(FaultKind.NotFound, FaultOf(LeaseState.Empty.Decide(new DeleteLease(Space, "l"), Now)));
        Assert.Equal(FaultKind.NotFound, FaultOf(LeaseState.Empty.Decide(new AddLeaseResources(Space, "l", [Blob]), Now)));
        Assert.True(After(state, new DeleteLease(Space, "l")).Ended);
    }

    [Fact]
    public void An_expiring_lease_waits_for_its_time_also_after_a_restart_and_ends_by_itself()
    {
        var at = Now.AddHours(1);
        var labels = Labels.None.Add(GcLabels.Expire, at.ToString("O", CultureInfo.InvariantCulture));
        var decision = LeaseState.Empty.Decide(new CreateLease(Space, "l", labels), Now);
        Assert.Equal([new AwaitExpiry(at)], decision.Effects);
        var state = LeaseState.Empty.Apply(decision.Events.Single());

        Assert.Equal([new AwaitExpiry(at)], state.Unfinished());
        var over = state.Decide(new EffectDone(new AwaitExpiry(at), null), at);
        Assert.Equal(new LeaseEnded(Expired: true, at), Assert.Single(over.Events));
    }

    [Fact]
    public void A_time_that_nobody_can_read_never_comes()
    {
        var decision = LeaseState.Empty.Decide(new CreateLease(Space, "l", Labels.None.Add(GcLabels.Expire, "soon")), Now);

        Assert.Empty(decision.Effects);
        Assert.Null(Assert.IsType<LeaseView>(decision.Reply).ExpiresAt);
    }

    private static LeaseState After(LeaseState state, ILeaseCommand command) =>
        state.Decide(command, Now).Events.Aggregate(state, (one, stored) => one.Apply(stored));

    private static FaultKind FaultOf(Decision decision) => Assert.IsType<Rejected>(decision.Reply).Fault.Kind;
}
