using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.SandboxRecords;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.SandboxRecords;

public sealed class SandboxRecordStateTests
{
    private static readonly NamespaceName Space = new("t");
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Now.AddHours(1);

    private static readonly SandboxRecord Given = new()
    {
        Id = "one",
        Runtime = "io.containerd.runc.v2",
        RuntimeOptions = new("options", [1]),
        Spec = new("spec", [2]),
        Labels = Labels.None.Add("a", "1").Add("b", "2"),
        Extensions = ImmutableSortedDictionary<string, AnyValue>.Empty.Add("x", new("x", [3])).Add("y", new("y", [4])),
        Sandboxer = "shim",
    };

    private static readonly SandboxRecordState There = SandboxRecordState.Empty.Apply(
        SandboxRecordState.Empty.Decide(new CreateSandboxRecord(Space, Given), Now).Events.Single());

    [Fact]
    public void A_record_is_stored_as_it_came_with_the_time()
    {
        var decision = SandboxRecordState.Empty.Decide(new CreateSandboxRecord(Space, Given), Now);
        Assert.Equal(Given with { CreatedAt = Now, UpdatedAt = Now }, decision.Reply);
        Assert.Equal(decision.Reply, There.View);
    }

    [Fact]
    public void An_id_in_use_and_an_id_that_is_none_are_refused()
    {
        AssertRefused(There.Decide(new CreateSandboxRecord(Space, Given), Later), FaultKind.AlreadyExists);
        AssertRefused(
            SandboxRecordState.Empty.Decide(new CreateSandboxRecord(Space, Given with { Id = "a/b" }), Now), FaultKind.InvalidArgument);
    }

    [Theory]
    [InlineData("labels", "c=3", "x,y")]
    [InlineData("labels.a", "b=2", "x,y")]
    [InlineData("labels.c", "a=1,b=2,c=3", "x,y")]
    [InlineData("extensions", "a=1,b=2", "z")]
    [InlineData("extensions.x", "a=1,b=2", "y")]
    [InlineData("extensions.z", "a=1,b=2", "x,y,z")]
    [InlineData("", "c=3", "z")]
    public void An_update_changes_what_its_paths_name(string path, string labels, string extensions)
    {
        var given = Given with
        {
            Labels = Labels.None.Add("c", "3"),
            Extensions = ImmutableSortedDictionary<string, AnyValue>.Empty.Add("z", new("z", [5])),
        };
        var decision = There.Decide(new UpdateSandboxRecord(Space, given, path.Length > 0 ? [path] : []), Later);
        var view = There.Apply(decision.Events.Single()).View!;

        Assert.Equal(labels, string.Join(',', view.Labels.Select(label => $"{label.Key}={label.Value}")));
        Assert.Equal(extensions, string.Join(',', view.Extensions.Keys));
        Assert.Equal((Now, Later), (view.CreatedAt, view.UpdatedAt));
        Assert.Equal(view, decision.Reply);
    }

    [Theory]
    [InlineData("id")]
    [InlineData("sandboxer")]
    public void What_cannot_change_is_refused(string path) =>
        AssertRefused(There.Decide(new UpdateSandboxRecord(Space, Given, [path]), Later), FaultKind.InvalidArgument);

    [Fact]
    public void Another_runtime_is_refused() => AssertRefused(
        There.Decide(new UpdateSandboxRecord(Space, Given with { Runtime = "io.containerd.runsc.v1" }, []), Later), FaultKind.InvalidArgument);

    [Fact]
    public void A_removed_record_is_gone()
    {
        var decision = There.Decide(new DeleteSandboxRecord(Space, "one"), Later);
        Assert.Equal(new SandboxRecordDeleted("one"), decision.Reply);
        Assert.True(There.Apply(decision.Events.Single()).Ended);
        AssertRefused(SandboxRecordState.Empty.Decide(new DeleteSandboxRecord(Space, "one"), Later), FaultKind.NotFound);
    }

    private static void AssertRefused(Decision decision, FaultKind kind)
    {
        Assert.Empty(decision.Events);
        Assert.Equal(kind, Assert.IsType<Rejected>(decision.Reply).Fault.Kind);
    }
}
