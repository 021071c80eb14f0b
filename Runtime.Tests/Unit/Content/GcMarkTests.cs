using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Records;
using Runtime.Actors.Snapshots;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Xunit;

namespace Runtime.Tests.Unit.Content;

/// <summary>What containerd's labels, leases and containers keep.</summary>
public sealed class GcMarkTests : IDisposable
{
    private static readonly NamespaceName Space = new("t");
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly string One = DigestOf('1');
    private static readonly string Two = DigestOf('2');
    private static readonly string Three = DigestOf('3');

    private readonly TempDirectory _directory = new();
    private readonly GcSources _sources;

    public GcMarkTests() => _sources = new GcSources(
        new(), new(), new(), new(), new ImageInspector(new ContentStore(_directory["content"], sync: false, TimeProvider.System)));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void What_nobody_refers_to_is_not_needed()
    {
        Blob(One);
        Snapshot("a");

        Assert.False(Mark().Needs(GcKind.Content, One));
        Assert.False(NeedsSnapshot("a"));
    }

    [Theory]
    [InlineData("containerd.io/gc.ref.content")]
    [InlineData("containerd.io/gc.ref.content.l.0")]
    [InlineData("containerd.io/gc.ref.content/0")]
    public void Labels_lead_from_a_root_to_content_and_snapshots_and_snapshots_to_their_parents(string label)
    {
        Blob(One, (GcLabels.Root, "now"), (label, Two));
        Blob(Two, ("containerd.io/gc.ref.snapshot.overlayfs", "b"));
        Blob(Three);
        Snapshot("a");
        Snapshot("b", "a");
        Snapshot("c", "b");

        Assert.True(Mark().Needs(GcKind.Content, Two));
        Assert.False(Mark().Needs(GcKind.Content, Three));
        Assert.True(NeedsSnapshot("b"));
        Assert.True(NeedsSnapshot("a"));
        Assert.False(NeedsSnapshot("c"));
    }

    [Fact]
    public void A_lease_keeps_its_objects_and_what_they_refer_to_and_a_flat_one_only_its_objects()
    {
        Blob(One, ("containerd.io/gc.ref.content", Two));
        Blob(Two);
        Snapshot("a");
        Snapshot("b", "a", ("containerd.io/gc.ref.content", Three));
        Blob(Three);

        Lease("l", Labels.None, LeaseResource.Content(One), LeaseResource.Snapshot("overlayfs", "b"));
        var whole = Mark();
        Assert.True(whole.Needs(GcKind.Content, Two) && whole.Needs(GcKind.Content, Three));

        Lease("l", Labels.None.Add(GcLabels.Flat, "1"), LeaseResource.Content(One), LeaseResource.Snapshot("overlayfs", "b"));
        var flat = Mark();
        Assert.True(flat.Needs(GcKind.Content, One));
        Assert.False(flat.Needs(GcKind.Content, Two) || flat.Needs(GcKind.Content, Three));
        Assert.True(NeedsSnapshot("b") && NeedsSnapshot("a"));
    }

    [Fact]
    public void A_lease_or_an_image_whose_time_is_over_keeps_nothing()
    {
        Blob(One);
        Blob(Two);
        Lease("l", Expiring(Now), LeaseResource.Content(One));
        Image("i", Two, Expiring(Now));
        Assert.Empty(Mark().Blobs);

        Lease("l", Expiring(Now.AddSeconds(1)), LeaseResource.Content(One));
        Image("i", Two, Expiring(Now.AddSeconds(1)));
        Assert.Equal(2, Mark().Blobs.Count());
    }

    [Fact]
    public void A_container_keeps_its_snapshot_and_what_its_labels_name()
    {
        Snapshot("a");
        Blob(One);
        _sources.Roots.Records.Set(Space, "c", new ContainerRecord
        {
            Id = "c",
            Snapshotter = "overlayfs",
            SnapshotKey = "a",
            Labels = Labels.None.Add("containerd.io/gc.ref.content", One),
        });

        Assert.True(NeedsSnapshot("a"));
        Assert.True(Mark().Needs(GcKind.Content, One));
    }

    [Fact]
    public void Snapshots_of_pods_and_of_running_pulls_stay()
    {
        var pod = ScriptedDomain.Sandbox();
        _sources.Roots.Sandboxes.Set(Space, pod.Id, pod);
        Snapshot(pod.Id);
        Snapshot($"{pod.Id}-volume-0");
        Snapshot("unpacking", "", (SnapshotState.UnpackingLabel, "true"));
        Snapshot("other");

        Assert.True(NeedsSnapshot(pod.Id) && NeedsSnapshot($"{pod.Id}-volume-0") && NeedsSnapshot("unpacking"));
        Assert.False(NeedsSnapshot("other"));
    }

    [Fact]
    public void A_back_reference_keeps_what_has_it_as_long_as_the_other_is_kept()
    {
        Blob(One, ("containerd.io/gc.bref.container", "c"));
        Snapshot("a", "", ("containerd.io/gc.bref.content", One));
        Assert.False(Mark().Needs(GcKind.Content, One) || NeedsSnapshot("a"));

        _sources.Roots.Records.Set(Space, "c", new ContainerRecord { Id = "c" });
        Assert.True(Mark().Needs(GcKind.Content, One));
        Assert.True(NeedsSnapshot("a"));
    }

    private GcMark Mark() => new(Space, _sources, Now);

    private bool NeedsSnapshot(string key) => Mark().Needs(GcKind.Snapshot, SnapshotId.Of("overlayfs", key));

    private void Blob(string digest, params (string Key, string Value)[] labels) =>
        _sources.Content.Set(Space, digest, new ContentView(digest, 1, LabelsOf(labels), Now, Now));

    private void Snapshot(string key, string parent = "", params (string Key, string Value)[] labels) => _sources.Snapshots.Set(
        Space, SnapshotId.Of("overlayfs", key),
        new SnapshotView(key, "overlayfs", parent, SnapshotKind.Active, Now, Now, LabelsOf(labels)));

    private void Lease(string id, ImmutableSortedDictionary<string, string> labels, params LeaseResource[] resources) =>
        _sources.Roots.Leases.Set(Space, id, new LeaseView(id, labels, Now, [.. resources]));

    private void Image(string name, string digest, ImmutableSortedDictionary<string, string> labels) =>
        _sources.Images.Set(Space, name, new ImageView(name, new ImageTarget("m", digest, 1), labels, Now, Now));

    private static ImmutableSortedDictionary<string, string> Expiring(DateTimeOffset at) =>
        Labels.None.Add(GcLabels.Expire, at.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));

    private static ImmutableSortedDictionary<string, string> LabelsOf((string Key, string Value)[] labels) =>
        labels.ToImmutableSortedDictionary(label => label.Key, label => label.Value, StringComparer.Ordinal);

    private static string DigestOf(char fill) => "sha256:" + new string(fill, 64);
}
