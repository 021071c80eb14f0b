using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Xunit;

namespace Runtime.Tests.Unit.Images;

public sealed class ImageStateTests
{
    private static readonly NamespaceName Space = NamespaceName.Kubernetes;
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly ImmutableSortedDictionary<string, string> NoLabels = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly ImageTarget One = new("m", "sha256:1", 1);
    private static readonly ImageTarget Two = new("m", "sha256:2", 2);

    [Fact]
    public void A_new_name_is_created()
    {
        var decision = ImageState.Empty.Decide(Put(One, false), Now);

        Assert.Equal(new ImageCreated("n", One, NoLabels, Now), Assert.Single(decision.Events));
        Assert.Equal(new ImageView("n", One, NoLabels, Now, Now), decision.Reply);
    }

    [Fact]
    public void A_taken_name_is_replaced_only_on_request()
    {
        var refused = Assert.IsType<Rejected>(Named.Decide(Put(Two, false), Now).Reply);
        Assert.Equal("image.exists", refused.Fault.Code);

        var replaced = Named.Decide(Put(Two, true), Now);
        Assert.Equal(new ImageUpdated("n", Two, NoLabels, Now), Assert.Single(replaced.Events));
        Assert.Equal(Two, Named.Apply(replaced.Events[0]).View!.Target);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_changes_nothing_is_not_stored(bool replace)
    {
        var decision = Named.Decide(Put(One, replace), Now);

        Assert.Empty(decision.Events);
        Assert.Equal(Named.View, decision.Reply);
    }

    [Fact]
    public void Other_labels_are_a_change()
    {
        var decision = Named.Decide(Put(One, true) with { Labels = NoLabels.Add("a", "b") }, Now);

        Assert.IsType<ImageUpdated>(Assert.Single(decision.Events));
    }

    [Fact]
    public void A_removed_name_ends_and_an_unknown_one_is_not_found()
    {
        var decision = Named.Decide(new RemoveImageName(Space, "n"), Now);
        Assert.Equal(new ImageNameRemoved("n"), decision.Reply);
        Assert.True(Named.Apply(Assert.Single(decision.Events)).Ended);

        var missing = Assert.IsType<Rejected>(ImageState.Empty.Decide(new RemoveImageName(Space, "n"), Now).Reply);
        Assert.Equal("image.not-found", missing.Fault.Code);
    }

    private static ImageState Named => ImageState.Empty.Apply(new ImageCreated("n", One, NoLabels, Now));

    private static PutImage Put(ImageTarget target, bool replace) => new(Space, "n", target, NoLabels, replace);
}
