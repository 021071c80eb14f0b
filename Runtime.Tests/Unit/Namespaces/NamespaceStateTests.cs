using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Namespaces;

public sealed class NamespaceStateTests
{
    private static readonly NamespaceName Space = new("t");
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Labels_are_replaced_by_name_or_all_and_make_a_namespace_that_nobody_made()
    {
        var labelled = After(NamespaceState.Empty, new SetNamespaceLabels(Space, Labels.None.Add("a", "1").Add("b", "2"), default));
        Assert.Equal(2, labelled.View!.Labels.Count);

        Assert.Equal(["b"], After(labelled, new SetNamespaceLabels(Space, Labels.None, ["a"])).View!.Labels.Keys);
        Assert.Equal(["c"], After(labelled, new SetNamespaceLabels(Space, Labels.None.Add("c", "3"), default)).View!.Labels.Keys);
    }

    [Fact]
    public void It_is_made_once_and_deleted_once()
    {
        var made = After(NamespaceState.Empty, new CreateNamespace(Space, Labels.None));

        Assert.Equal(FaultKind.AlreadyExists, FaultOf(made.Decide(new CreateNamespace(Space, Labels.None), Now)));
        Assert.True(After(made, new DeleteNamespace(Space)).Ended);
        Assert.Equal(FaultKind.NotFound, FaultOf(NamespaceState.Empty.Decide(new DeleteNamespace(Space), Now)));
    }

    private static NamespaceState After(NamespaceState state, INamespaceCommand command) =>
        state.Decide(command, Now).Events.Aggregate(state, (one, stored) => one.Apply(stored));

    private static FaultKind FaultOf(Decision decision) => Assert.IsType<Rejected>(decision.Reply).Fault.Kind;
}
