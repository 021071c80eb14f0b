using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Snapshots;

public sealed class SnapshotStateTests
{
    private static readonly NamespaceName Space = NamespaceName.Kubernetes;
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly ImmutableSortedDictionary<string, string> NoLabels = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly RuntimeFault Full = new(FaultKind.ResourceExhausted, "content.disk-full", "full");

    private static readonly SnapshotPrepared Prepared = new("overlayfs", "key", SnapshotKind.Active, "base", 7, [3, 1], NoLabels, Now);
    private static readonly SnapshotBecameReady Ready = new(Now);
    private static readonly SnapshotCommitRequested Requested = new("name", "base", NoLabels, Now);
    private static readonly SnapshotCommitRefused Refused = new(Now);
    private static readonly SnapshotWasCommitted Committed = new("overlayfs", "name", "base", 7, NoLabels, Now);

    private static readonly PrepareSnapshot Prepare = new(Space, "key", "overlayfs", "base", NoLabels);
    private static readonly ViewSnapshot View = new(Space, "key", "overlayfs", "base", NoLabels);
    private static readonly CommitSnapshot Commit = new(Space, "key", "overlayfs", "name", NoLabels);
    private static readonly RemoveSnapshot Remove = new(Space, "key", "overlayfs");
    private static readonly SetSnapshotLabels Label = new(Space, "key", "overlayfs", NoLabels.Add("a", "b"), default);

    private static readonly Dictionary<string, IDomainEvent[]> Phases = new()
    {
        ["none"] = [],
        ["preparing"] = [Prepared],
        ["active"] = [Prepared, Ready],
        ["view"] = [Prepared with { Kind = SnapshotKind.View }, Ready],
        ["committing"] = [Prepared, Ready, Requested],
        ["refused"] = [Prepared, Ready, Requested, Refused],
        ["committed"] = [Committed],
    };

    private static readonly Dictionary<string, ISnapshotCommand> Commands = new()
    {
        ["prepare"] = Prepare,
        ["view"] = View,
        ["commit"] = Commit,
        ["commit to another name"] = Commit with { Name = "other" },
        ["commit onto another parent"] = Commit with { Parent = "other" },
        ["remove"] = Remove,
        ["label"] = Label,
    };

    [Theory]
    [InlineData("none", "prepare", "waits: SnapshotPrepared")]
    [InlineData("none", "view", "waits: SnapshotPrepared")]
    [InlineData("none", "commit", "snapshot.not-found")]
    [InlineData("none", "remove", "snapshot.not-found")]
    [InlineData("none", "label", "snapshot.not-found")]
    [InlineData("preparing", "prepare", "snapshot.exists")]
    [InlineData("preparing", "view", "snapshot.exists")]
    [InlineData("preparing", "commit", "snapshot.busy")]
    [InlineData("preparing", "remove", "snapshot.busy")]
    [InlineData("preparing", "label", "snapshot.busy")]
    [InlineData("active", "prepare", "snapshot.exists")]
    [InlineData("active", "commit", "waits: SnapshotCommitRequested")]
    [InlineData("active", "commit onto another parent", "snapshot.has-parent")]
    [InlineData("active", "remove", "SnapshotRemoved: SnapshotWasRemoved")]
    [InlineData("active", "label", "SnapshotView: SnapshotLabelsChanged")]
    [InlineData("view", "commit", "snapshot.wrong-kind")]
    [InlineData("view", "remove", "SnapshotRemoved: SnapshotWasRemoved")]
    [InlineData("committing", "commit", "waits: ")]
    [InlineData("committing", "commit to another name", "snapshot.busy")]
    [InlineData("committing", "remove", "snapshot.busy")]
    [InlineData("committing", "prepare", "snapshot.exists")]
    [InlineData("refused", "commit", "waits: SnapshotCommitRequested")]
    [InlineData("refused", "remove", "SnapshotRemoved: SnapshotWasRemoved")]
    [InlineData("committed", "commit", "snapshot.wrong-kind")]
    [InlineData("committed", "prepare", "snapshot.exists")]
    [InlineData("committed", "remove", "SnapshotRemoved: SnapshotWasRemoved")]
    [InlineData("committed", "label", "SnapshotView: SnapshotLabelsChanged")]
    public void Every_command_has_its_answer_in_every_phase(string phase, string command, string expected)
    {
        var decision = Given(Phases[phase]).Decide(new SnapshotRequest(Space, "overlayfs|key", Commands[command], 7, [3, 1]), Now);

        var events = string.Join(',', decision.Events.Select(made => made.GetType().Name));
        Assert.Equal(expected, decision switch
        {
            { Join: not null } => $"waits: {events}",
            { Reply: Rejected rejected } => rejected.Fault.Code + events,
            { Reply: { } reply } => $"{reply.GetType().Name}: {events}",
            _ => "nothing",
        });
    }

    [Fact]
    public void A_directory_that_cannot_be_made_ends_the_snapshot_and_is_discarded()
    {
        var state = Given(Prepared);
        var effect = Assert.IsType<MakeSnapshotDirectory>(Assert.Single(state.Unfinished()));
        Assert.Equal([3, 1], effect.Chain);

        var decision = state.Decide(new EffectFailed(effect, Full), Now);

        Assert.Equal(Full, Assert.IsType<Rejected>(Assert.Single(decision.Answers).Reply).Fault);
        Assert.Equal(new DiscardSnapshotDirectory("overlayfs", 7), Assert.Single(decision.Effects));
        Assert.True(state.Apply(Assert.Single(decision.Events)).Ended);
    }

    [Fact]
    public void It_is_seen_only_once_it_can_be_mounted()
    {
        Assert.Null(Given(Prepared).View);
        var view = Given(Prepared, Ready).View!;
        Assert.Equal(("base", SnapshotKind.Active, 7L), (view.Parent, view.Kind, view.Number));
    }

    [Fact]
    public void A_commit_hands_the_directory_over_and_recovery_does_it_again()
    {
        var state = Given(Prepared, Ready, Requested);
        var adopt = Assert.IsType<AdoptSnapshot>(Assert.Single(state.Unfinished()));
        Assert.Equal(("overlayfs|name", "base", 7L), (adopt.EntityId, adopt.Parent, adopt.Number));

        var empty = new SnapshotState(Space, "overlayfs|name");
        var first = empty.Decide(adopt, Now);
        var name = empty.Apply(Assert.Single(first.Events));
        Assert.Equal(new SnapshotCommitted("name"), first.Reply);
        Assert.Equal(new SnapshotCommitted("name"), name.Decide(adopt, Now).Reply);
        Assert.Equal("snapshot.exists", Assert.IsType<Rejected>(name.Decide(adopt with { Number = 8 }, Now).Reply).Fault.Code);

        var done = state.Decide(new SnapshotCommitted("name"), Now);
        Assert.IsType<SnapshotHandedOver>(Assert.Single(done.Events));
        Assert.Empty(done.Effects);
        Assert.Equal(new SnapshotCommitted("name"), Assert.Single(done.Answers).Reply);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_being_unpacked_into_is_undone_by_recovery(bool ready)
    {
        var unpacking = Prepared with { Labels = NoLabels.Add(SnapshotState.UnpackingLabel, "true") };
        var state = ready ? Given(unpacking, Ready) : Given(unpacking);

        var decision = state.Decide(new EffectDone(Assert.Single(state.Unfinished()), null), Now);

        Assert.IsType<SnapshotWasRemoved>(Assert.Single(decision.Events));
        Assert.Equal(new DiscardSnapshotDirectory("overlayfs", 7), Assert.Single(decision.Effects));
        Assert.IsType<AdoptSnapshot>(Assert.Single(Given(unpacking, Ready, Requested).Unfinished()));
    }

    [Fact]
    public void A_refused_commit_leaves_the_snapshot_active()
    {
        var state = Given(Prepared, Ready, Requested);

        var decision = state.Decide(new Rejected(FaultKind.AlreadyExists, "snapshot.exists", "taken"), Now);

        var after = state.Apply(Assert.Single(decision.Events));
        Assert.Equal(SnapshotPhase.Ready, after.Phase);
        Assert.Equal("snapshot.exists", Assert.IsType<Rejected>(Assert.Single(decision.Answers).Reply).Fault.Code);
        Assert.Empty(after.Unfinished());
    }

    private static SnapshotState Given(params IDomainEvent[] events) =>
        events.Aggregate(new SnapshotState(Space, "overlayfs|key"), (state, recorded) => state.Apply(recorded));
}
