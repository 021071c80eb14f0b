using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Pulls;

/// <summary>Every command about a pull. Failures answer <see cref="Rejected"/>.</summary>
public interface IPullCommand : IEntityCommand;

/// <summary>
/// Pulls and unpacks an image; answers <see cref="ImagePulled"/>. Pulls of one reference share one actor and one download.
/// </summary>
/// <param name="EntityId">The normalised reference.</param>
/// <param name="Auth">Used for this call only and never stored; null for anonymous.</param>
/// <param name="Platform"><c>linux/amd64</c> and the like; empty for this machine's.</param>
public sealed record PullImage(NamespaceName Space, string EntityId, RegistryAuth? Auth, string Platform) : IPullCommand;

/// <param name="ImageId">Config digest.</param>
/// <param name="Digest">Of the manifest or index that the reference resolved to.</param>
public sealed record ImagePulled(string Name, string ImageId, string Digest);

/// <summary>The caller is gone: the pull ends when nobody else waits. What it has stays for the next one.</summary>
public sealed record CancelPull(NamespaceName Space, string EntityId) : IPullCommand;

/// <summary>CRI's AuthConfig. ToString never shows a secret.</summary>
public sealed record RegistryAuth(string Username, string Password, string IdentityToken, string RegistryToken, string ServerAddress)
{
    public override string ToString() => $"RegistryAuth {{ Username = {Username}, ServerAddress = {ServerAddress} }}";
}

/// <summary>A pull in flight, for progress.</summary>
public sealed record PullView(string Reference, DateTimeOffset StartedAt, string Status, ImmutableArray<BlobProgress> Blobs);

/// <param name="Status"><c>waiting</c>, <c>downloading</c>, <c>unpacking</c>, <c>done</c>, <c>exists</c>.</param>
/// <param name="Offset">Bytes that have come.</param>
/// <param name="Total">Bytes in all; 0 while that is not known.</param>
public sealed record BlobProgress(string Digest, string Status, long Offset, long Total);
