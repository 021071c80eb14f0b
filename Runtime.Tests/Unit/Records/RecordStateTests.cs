using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Records;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Records;

public sealed class RecordStateTests
{
    private static readonly NamespaceName Space = new("t");
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Now.AddHours(1);
    private static readonly ImmutableSortedDictionary<string, AnyValue> NoExtensions = ImmutableSortedDictionary<string, AnyValue>.Empty;

    private static readonly ContainerRecord Given = new()
    {
        Id = "one",
        Image = "busybox",
        Runtime = "io.containerd.runc.v2",
        RuntimeOptions = new("options", [1]),
        Spec = new("spec", [2]),
        Snapshotter = "overlayfs",
        SnapshotKey = "one",
        Labels = Labels.None.Add("a", "1").Add("b", "2"),
        Extensions = NoExtensions.Add("x", new("x", [3])).Add("y", new("y", [4])),
    };

    private static readonly RecordState There =
        RecordState.Empty.Apply(RecordState.Empty.Decide(new CreateRecord(Space, Given), Now).Events.Single());

    [Fact]
    public void A_record_is_stored_as_it_came_with_the_time()
    {
        var decision = RecordState.Empty.Decide(new CreateRecord(Space, Given), Now);

        Assert.Equal(Given with { CreatedAt = Now, UpdatedAt = Now }, decision.Reply);
        Assert.Same(decision.Reply, Assert.IsType<ContainerRecordCreated>(Assert.Single(decision.Events)).Record);
    }

    [Fact]
    public void An_id_in_use_is_refused() => AssertRefused(There.Decide(new CreateRecord(Space, Given), Later), FaultKind.AlreadyExists);

    public static TheoryData<string, ContainerRecord> Unusable => new()
    {
        { "id", Given with { Id = "a/b" } },
        { "no id", Given with { Id = "" } },
        { "runtime", Given with { Runtime = "" } },
        { "spec", Given with { Spec = null } },
        { "snapshotter", Given with { Snapshotter = "" } },
        { "extension", Given with { Extensions = NoExtensions.Add("", new("x", [])) } },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void What_a_client_must_give_is_checked_first(string missing, ContainerRecord record)
    {
        Assert.NotEmpty(missing);
        AssertRefused(RecordState.Empty.Decide(new CreateRecord(Space, record), Now), FaultKind.InvalidArgument);
    }

    [Theory]
    [InlineData("labels")]
    [InlineData("labels.a")]
    [InlineData("spec")]
    [InlineData("extensions")]
    [InlineData("extensions.x")]
    [InlineData("image")]
    [InlineData("snapshotkey")]
    public void Only_what_the_mask_names_changes(string path)
    {
        var other = Given with
        {
            Labels = Labels.None.Add("a", "9"),
            Spec = new("spec", [9]),
            Extensions = NoExtensions.Add("x", new("x", [9])),
            Image = "alpine",
            SnapshotKey = "two",
            Snapshotter = "native",
        };
        var after = Update(other, path);

        Assert.Equal(path == "spec" ? 9 : 2, after.Spec!.Value[0]);
        Assert.Equal(path == "image" ? "alpine" : "busybox", after.Image);
        Assert.Equal(path == "snapshotkey" ? "two" : "one", after.SnapshotKey);
        Assert.Equal(("overlayfs", Now, Later), (after.Snapshotter, after.CreatedAt, after.UpdatedAt));
        Assert.Equal(path is "labels" or "labels.a" ? "9" : "1", after.Labels["a"]);
        Assert.Equal(path == "labels" ? 1 : 2, after.Labels.Count);
        Assert.Equal(path is "extensions" or "extensions.x" ? 9 : 3, after.Extensions["x"].Value[0]);
        Assert.Equal(path == "extensions" ? 1 : 2, after.Extensions.Count);
    }

    [Fact]
    public void A_label_that_the_mask_names_and_the_record_lacks_is_taken_away()
    {
        var after = Update(Given with { Labels = Labels.None }, "labels.a");

        Assert.Equal(["b"], after.Labels.Keys);
    }

    [Fact]
    public void Without_a_mask_everything_that_can_change_does()
    {
        var other = Given with { Labels = Labels.None, Image = "alpine", SnapshotKey = "", Extensions = NoExtensions, RuntimeOptions = null };
        var after = Update(other);

        Assert.Equal(("alpine", "", 0, 0), (after.Image, after.SnapshotKey, after.Labels.Count, after.Extensions.Count));
        Assert.Equal(Given.RuntimeOptions, after.RuntimeOptions);
    }

    [Theory]
    [InlineData("runtime")]
    [InlineData("id")]
    [InlineData("created_at")]
    [InlineData("snapshotter")]
    [InlineData("")]
    public void A_field_that_cannot_change_refuses_the_whole_update(string path) => AssertRefused(
        There.Decide(new UpdateRecord(Space, Given with { Image = "alpine" }, ["image", path]), Later), FaultKind.InvalidArgument);

    [Fact]
    public void Without_a_mask_runtime_and_snapshotter_have_to_be_as_they_are()
    {
        AssertRefused(There.Decide(new UpdateRecord(Space, Given with { Runtime = "other" }, []), Later), FaultKind.InvalidArgument);
        AssertRefused(There.Decide(new UpdateRecord(Space, Given with { Snapshotter = "native" }, []), Later), FaultKind.InvalidArgument);
    }

    [Fact]
    public void An_update_leaves_no_record_that_could_not_have_been_created() =>
        AssertRefused(There.Decide(new UpdateRecord(Space, Given with { Spec = null }, ["spec"]), Later), FaultKind.InvalidArgument);

    [Fact]
    public void A_deleted_record_ends_and_an_unknown_one_is_not_found()
    {
        var decision = There.Decide(new DeleteRecord(Space, "one"), Later);

        Assert.Equal(new RecordDeleted("one"), decision.Reply);
        Assert.True(There.Apply(decision.Events.Single()).Ended);
        AssertRefused(RecordState.Empty.Decide(new DeleteRecord(Space, "one"), Later), FaultKind.NotFound);
        AssertRefused(RecordState.Empty.Decide(new UpdateRecord(Space, Given, []), Later), FaultKind.NotFound);
    }

    /// <summary>Decides, applies, and checks that the reply is what was stored.</summary>
    private static ContainerRecord Update(ContainerRecord given, params string[] paths)
    {
        var decision = There.Decide(new UpdateRecord(Space, given, [.. paths]), Later);
        var after = There.Apply(Assert.Single(decision.Events)).View!;
        Assert.Equal(after, decision.Reply);
        return after;
    }

    private static void AssertRefused(Decision decision, FaultKind kind)
    {
        Assert.Empty(decision.Events);
        Assert.Equal(kind, Assert.IsType<Rejected>(decision.Reply).Fault.Kind);
    }
}
