using System.Collections.Immutable;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Images;

/// <summary>Images as CRI and containers see them: one entry per config digest, from memory.</summary>
public interface IImageCatalog
{
    ImmutableArray<ImageSummary> List(NamespaceName space);

    /// <summary>By id, short id (unique prefix), tag, digest reference, or a short name such as <c>busybox</c>.</summary>
    ImageSummary? Find(NamespaceName space, string reference);

    /// <summary>The image's config as it was stored, OCI image spec JSON; null when it is not there any more.</summary>
    byte[]? ReadConfig(string imageId);

    /// <summary>Removes every name of the image; true for an unknown one too, as CRI asks.</summary>
    Task RemoveAsync(NamespaceName space, string reference, CancellationToken cancellation);

    /// <summary>Bytes and inodes of snapshots and content, and the directory that holds them.</summary>
    Task<ImageFileSystem> UsageAsync(CancellationToken cancellation);
}

public sealed record ImageFileSystem(string Mountpoint, long UsedBytes, long InodesUsed, DateTimeOffset At);

/// <summary>An unpacked image for this machine's platform.</summary>
public sealed record ImageSummary
{
    /// <summary>Digest of the config: <c>sha256:HEX</c>.</summary>
    public required string Id { get; init; }

    public required ImmutableArray<string> RepoTags { get; init; }

    /// <summary><c>name@sha256:HEX</c> of manifest or index.</summary>
    public required ImmutableArray<string> RepoDigests { get; init; }

    /// <summary>Bytes of config, manifest and compressed layers.</summary>
    public required long Size { get; init; }

    /// <summary>Name of the committed snapshot with all layers applied.</summary>
    public required string ChainId { get; init; }

    public required string Snapshotter { get; init; }

    public required bool Pinned { get; init; }

    public required ImageDefaults Defaults { get; init; }
}

/// <summary>What the image's config says about processes (OCI image spec 1.1, config.md).</summary>
public sealed record ImageDefaults
{
    public ImmutableArray<string> Entrypoint { get; init; } = [];

    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary><c>KEY=VALUE</c>.</summary>
    public ImmutableArray<string> Environment { get; init; } = [];

    public string WorkingDirectory { get; init; } = "";

    /// <summary><c>user[:group]</c>, names or numbers.</summary>
    public string User { get; init; } = "";

    public string StopSignal { get; init; } = "";

    public ImmutableArray<string> Volumes { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
