using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Xunit;

namespace Runtime.Tests.Unit.Content;

public sealed class ContentStateTests
{
    private const string Source = "containerd.io/distribution.source.docker.io";
    private static readonly NamespaceName Space = NamespaceName.Kubernetes;
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Labels_of_a_known_blob_are_merged_and_its_repositories_united()
    {
        var state = After(ContentState.Empty, Add(("a", "1"), (Source, "library/b,library/a")));
        state = After(state, Add(("b", "2"), (Source, "library/c")));

        Assert.Equal(Labels(("a", "1"), ("b", "2"), (Source, "library/a,library/b,library/c")), state.Blobs["sha256:1"].Labels);
        Assert.Empty(state.Decide(Add(("b", "2")), Now).Events);
    }

    [Fact]
    public void Labels_are_replaced_all_or_by_name()
    {
        var state = After(ContentState.Empty, Add(("a", "1"), ("b", "2")));

        var all = After(state, new SetContentLabels(Space, "sha256:1", Labels(("c", "3")), default));
        var some = After(state, new SetContentLabels(Space, "sha256:1", Labels(("b", "4"), ("x", "y")), ["a", "b"]));

        Assert.Equal(Labels(("c", "3")), all.Blobs["sha256:1"].Labels);
        Assert.Equal(Labels(("b", "4")), some.Blobs["sha256:1"].Labels);
    }

    [Fact]
    public void An_unknown_digest_has_no_labels_and_is_removed_without_a_word()
    {
        var unknown = ContentState.Empty.Decide(new SetContentLabels(Space, "sha256:1", Labels(), default), Now);
        Assert.Equal("content.not-found", Assert.IsType<Rejected>(unknown.Reply).Fault.Code);

        var removed = ContentState.Empty.Decide(new RemoveContent(Space, ["sha256:1"]), Now);
        Assert.Equal(new ContentRemoved(0), removed.Reply);
        Assert.Empty(removed.Events);
    }

    private static ContentState After(ContentState state, IContentCommand command) =>
        state.Decide(command, Now).Events.Aggregate(state, (at, recorded) => at.Apply(recorded));

    private static AddContent Add(params (string Name, string Value)[] labels) => new(Space, [new("sha256:1", 10, Labels(labels))]);

    private static ImmutableSortedDictionary<string, string> Labels(params (string Name, string Value)[] labels) =>
        labels.ToImmutableSortedDictionary(label => label.Name, label => label.Value);
}
