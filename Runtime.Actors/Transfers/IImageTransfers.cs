using System.Collections.Immutable;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Transfers;

/// <summary>Moves images between registries, archives and the store, for clients that leave all of the work to the daemon.</summary>
public interface IImageTransfers
{
    /// <summary>Fetches, and unpacks where that is asked for; then gives the names.</summary>
    /// <exception cref="FaultException">NotFound <c>image.no-platform</c>; a registry's fault.</exception>
    Task PullAsync(
        NamespaceName space, RegistryEnd source, ImageEnd destination, Action<TransferProgress> progress, CancellationToken cancellation);

    /// <exception cref="FaultException">NotFound for a name, or content, that is not there; a registry's fault.</exception>
    Task PushAsync(
        NamespaceName space, ImageEnd source, RegistryEnd destination, Action<TransferProgress> progress, CancellationToken cancellation);

    /// <summary>Gives the target of a name other names.</summary>
    Task TagAsync(NamespaceName space, ImageEnd source, ImageEnd destination, CancellationToken cancellation);

    /// <summary>Takes images of an archive (OCI layout or docker save) in, and unpacks them.</summary>
    Task ImportAsync(
        NamespaceName space, Stream archive, ImageEnd destination, Action<TransferProgress> progress, CancellationToken cancellation);

    Task ExportAsync(
        NamespaceName space, ImageEnd source, Stream archive, Action<TransferProgress> progress, CancellationToken cancellation);
}

/// <summary>A repository of a registry.</summary>
public sealed record RegistryEnd(string Reference)
{
    /// <summary>Used for this call only; null for anonymous.</summary>
    public RegistryAuth? Auth { get; init; }

    /// <summary>Instead of the configured directory with hosts.toml files; empty for that one.</summary>
    public string HostDirectory { get; init; } = "";

    /// <summary><c>http</c> or <c>https</c> for a registry that nothing is configured for; empty for the usual one.</summary>
    public string DefaultScheme { get; init; } = "";

    /// <summary>Sent to the registry with each request.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>Names of the image store.</summary>
public sealed record ImageEnd(string Name)
{
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Empty: all.</summary>
    public ImmutableArray<Platform> Platforms { get; init; } = [];

    /// <summary>Manifests and configs also of other platforms.</summary>
    public bool AllMetadata { get; init; }

    /// <summary>Further names.</summary>
    public ImmutableArray<string> MoreNames { get; init; } = [];

    /// <summary>What to unpack, and into which snapshotter (empty for the default).</summary>
    public ImmutableArray<(Platform Platform, string Snapshotter)> Unpack { get; init; } = [];

    public IEnumerable<string> Names => MoreNames.Prepend(Name).Where(name => name.Length > 0).Distinct();
}

/// <summary>How far a transfer is; containerd's clients know the events by name.</summary>
/// <param name="Event"><c>waiting</c>, <c>downloading</c>, <c>extracting</c>, <c>complete</c>, <c>already exists</c>, <c>uploading</c>, <c>saved</c>; or a sentence.</param>
/// <param name="Name">Of what it is about; empty for the transfer itself.</param>
/// <param name="Parents">Names of what that is a part of.</param>
public sealed record TransferProgress(string Event, string Name, ImmutableArray<string> Parents, long Offset, long Total, Descriptor? Target)
{
    public static TransferProgress Of(string @event, string name = "", Descriptor? target = null) => new(@event, name, [], 0, 0, target);
}
