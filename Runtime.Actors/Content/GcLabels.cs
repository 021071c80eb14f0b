using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Snapshots;

namespace Runtime.Actors.Content;

/// <summary>containerd's labels that say what is kept, and what keeps it.</summary>
public static class GcLabels
{
    /// <summary>What has it is kept, whatever its value is.</summary>
    public const string Root = "containerd.io/gc.root";

    /// <summary>On a lease: it holds its objects only, and not what they refer to.</summary>
    public const string Flat = "containerd.io/gc.flat";

    /// <summary>On a lease or an image: it is gone from then on, RFC 3339.</summary>
    public const string Expire = "containerd.io/gc.expire";

    private const string Reference = "containerd.io/gc.ref.";
    private const string BackReference = "containerd.io/gc.bref.";

    /// <summary>Null where there is none, or nobody can read it.</summary>
    public static DateTimeOffset? ExpiryOf(ImmutableSortedDictionary<string, string> labels) =>
        labels.TryGetValue(Expire, out var text)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : null;

    /// <summary>What an object with these labels refers to: <c>gc.ref.content</c>, <c>gc.ref.content.l.0</c>, <c>gc.ref.snapshot.overlayfs/1</c>.</summary>
    public static IEnumerable<GcNode> References(ImmutableSortedDictionary<string, string> labels) => Nodes(labels, Reference);

    /// <summary>What keeps an object with these labels: <c>gc.bref.container</c>.</summary>
    public static IEnumerable<GcNode> BackReferences(ImmutableSortedDictionary<string, string> labels) => Nodes(labels, BackReference);

    private static IEnumerable<GcNode> Nodes(ImmutableSortedDictionary<string, string> labels, string prefix) =>
        labels.Where(label => label.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(label => NodeOf(label.Key[prefix.Length..], label.Value))
            .Where(node => node is not null).Select(node => node!.Value);

    private static GcNode? NodeOf(string kind, string value)
    {
        var end = kind.AsSpan().IndexOfAny('.', '/');
        var rest = end < 0 ? "" : kind[(end + 1)..];
        return (end < 0 ? kind : kind[..end]) switch
        {
            "content" => new GcNode(GcKind.Content, value),
            "image" => new GcNode(GcKind.Image, value),
            "container" => new GcNode(GcKind.Container, value),
            // After the snapshotter's name, what tells several of one snapshotter apart.
            "snapshot" when rest.Length > 0 => new GcNode(GcKind.Snapshot, SnapshotId.Of(rest.Split('/', 2)[0], value)),
            _ => null,
        };
    }
}

public enum GcKind
{
    Content,
    Snapshot,
    Image,
    Container,
}

/// <summary>One object of a namespace, as collections see it.</summary>
/// <param name="Key">A digest, a <see cref="SnapshotId"/>, an image's name, a container's id.</param>
public readonly record struct GcNode(GcKind Kind, string Key);
