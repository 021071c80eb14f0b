using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Content;

/// <summary>
/// Every command about what a namespace knows of content: which blobs are its own, and their labels. The bytes are in the
/// <see cref="ContentStore"/>, once for all namespaces. Failures answer <see cref="Rejected"/>.
/// </summary>
public interface IContentCommand : IEntityCommand;

/// <summary>
/// Makes blobs the namespace's own; answers <see cref="ContentAdded"/>. Labels of a known blob are merged; of a
/// <c>containerd.io/distribution.source.HOST</c> label the repositories are united, as containerd does.
/// </summary>
public sealed record AddContent(NamespaceName Space, ImmutableArray<ContentEntry> Entries) : IContentCommand
{
    public string EntityId => "";

    /// <summary>AlreadyExists where one of them is the namespace's own already.</summary>
    public bool IsNew { get; init; }
}

/// <param name="Digest"><c>sha256:HEX</c>.</param>
/// <param name="Size">Bytes.</param>
public sealed record ContentEntry(string Digest, long Size, ImmutableSortedDictionary<string, string> Labels);

public sealed record ContentAdded(int Count);

/// <summary>Replaces labels; answers <see cref="ContentView"/>, NotFound for an unknown digest (<paramref name="EntityId"/>).</summary>
/// <param name="Names">Which labels: those that <paramref name="Labels"/> does not give are taken away. Default: all.</param>
public sealed record SetContentLabels(
    NamespaceName Space, string EntityId, ImmutableSortedDictionary<string, string> Labels, ImmutableArray<string> Names)
    : IContentCommand;

/// <summary>Blobs are the namespace's no more; answers <see cref="ContentRemoved"/>. Unknown ones do not count.</summary>
public sealed record RemoveContent(NamespaceName Space, ImmutableArray<string> Digests) : IContentCommand
{
    public string EntityId => "";

    /// <summary>NotFound where one of them is not the namespace's own.</summary>
    public bool IsStrict { get; init; }
}

public sealed record ContentRemoved(int Count);

/// <summary>What lists see of a blob.</summary>
public sealed record ContentView(
    string Digest, long Size, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);
