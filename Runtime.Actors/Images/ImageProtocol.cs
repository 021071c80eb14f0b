using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Images;

/// <summary>Every command about an image name. Failures answer <see cref="Rejected"/>.</summary>
public interface IImageCommand : IEntityCommand;

/// <summary>Gives an image name (<paramref name="EntityId"/>) a target; answers <see cref="ImageView"/>.</summary>
/// <param name="Replace">False: AlreadyExists when the name is taken by another digest.</param>
public sealed record PutImage(
    NamespaceName Space, string EntityId, ImageTarget Target, ImmutableSortedDictionary<string, string> Labels, bool Replace)
    : IImageCommand;

/// <summary>Gives a new image name its target; answers <see cref="ImageView"/>, AlreadyExists for a name in use.</summary>
public sealed record CreateImageName(
    NamespaceName Space, string EntityId, ImageTarget Target, ImmutableSortedDictionary<string, string> Labels) : IImageCommand;

/// <summary>Changes a name; answers <see cref="ImageView"/>, NotFound for an unknown one.</summary>
/// <param name="Target">Null: stays.</param>
/// <param name="Labels">Null: stay.</param>
/// <param name="Names">Which labels: those that <paramref name="Labels"/> does not give are taken away. Default: all.</param>
public sealed record UpdateImageName(
    NamespaceName Space, string EntityId, ImageTarget? Target, ImmutableSortedDictionary<string, string>? Labels,
    ImmutableArray<string> Names) : IImageCommand;

/// <summary>Takes a name away; answers <see cref="ImageNameRemoved"/>, NotFound for an unknown one.</summary>
public sealed record RemoveImageName(NamespaceName Space, string EntityId) : IImageCommand
{
    /// <summary>NotFound where the name has another target; empty for any.</summary>
    public string TargetDigest { get; init; } = "";
}

public sealed record ImageNameRemoved(string Name);

/// <summary>What a name points to: a manifest or an index.</summary>
/// <param name="Digest"><c>sha256:HEX</c>.</param>
/// <param name="Size">Bytes of the manifest or index itself.</param>
public sealed record ImageTarget(string MediaType, string Digest, long Size);

/// <summary>One image name.</summary>
public sealed record ImageView(
    string Name, ImageTarget Target, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);
