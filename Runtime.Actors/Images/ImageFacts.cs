using System.Collections.Concurrent;
using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Actors.Images;

/// <summary>What an image's target means on this machine's platform; never changes, as content does not.</summary>
public sealed record ImageFacts(
    Digest Manifest, Digest Config, ImmutableArray<Digest> Layers, ImmutableArray<Digest> DiffIds, long Size, ImageDefaults Defaults)
{
    /// <summary>Names of the snapshots after each layer, bottom first.</summary>
    public ImmutableArray<string> Chain { get; } = [.. ChainId.Each(DiffIds).Select(id => id.ToString())];

    /// <summary>Empty for an image without layers.</summary>
    public string ChainIdText => Chain.IsEmpty ? "" : Chain[^1];
}

/// <summary>Reads manifests and configs out of the content store, once each. Thread-safe.</summary>
public sealed class ImageInspector(ContentStore content)
{
    /// <summary>Index in index: deeper ones are not followed.</summary>
    private const int DepthMax = 4;

    /// <summary>Sized far above a node's images; beyond it, all are read anew.</summary>
    private const int CachedMax = 4096;

    private static readonly PlatformMatcher Here = new(Platform.Host);

    private readonly ConcurrentDictionary<string, ImageFacts> _known = [];

    /// <summary>Null while manifest or config for this machine are not in the store, or cannot be read as such.</summary>
    public ImageFacts? Inspect(string digest)
    {
        if (_known.TryGetValue(digest, out var known)) return known;
        if (!Digest.TryParse(digest, out var target)) return null;
        try
        {
            if (ManifestOf(target, Here, 0) is not { } found || !content.Has(found.Manifest.Config.Digest)) return null;
            var facts = Read(found.Digest, found.Size, found.Manifest);
            if (_known.Count >= CachedMax) _known.Clear();
            return _known[digest] = facts;
        }
        catch (FaultException unusable) when (IsNoImage(unusable))
        {
            return null;
        }
    }

    /// <summary>The bytes of a config; null when it is not in the store.</summary>
    public byte[]? ReadConfig(Digest config) => content.Has(config) ? content.ReadAll(config) : null;

    /// <summary>Everything that a manifest or index refers to, as far as it is in the store; itself included.</summary>
    public ImmutableHashSet<Digest> Reachable(string digest)
    {
        var reached = ImmutableHashSet.CreateBuilder<Digest>();
        if (Digest.TryParse(digest, out var target)) Reach(target, "", reached, 0);
        return reached.ToImmutable();
    }

    private void Reach(Digest digest, string mediaType, ImmutableHashSet<Digest>.Builder reached, int depth)
    {
        if (!reached.Add(digest) || depth > DepthMax) return;
        if (depth > 0 && !MediaTypes.IsIndex(mediaType) && !MediaTypes.IsManifest(mediaType)) return;
        if (content.Find(digest) is not { Size: <= ManifestReader.MaxBytes }) return;
        try
        {
            foreach (var child in ManifestReader.Read(content.ReadAll(digest)).Children)
                Reach(child.Digest, child.MediaType, reached, depth + 1);
        }
        catch (FaultException unusable) when (IsNoImage(unusable))
        {
            // No manifest, so nothing below it.
        }
    }

    /// <summary>Anybody can store a document that says it is an image, or remove one while it is read.</summary>
    private static bool IsNoImage(FaultException unusable) =>
        unusable.Fault.Kind is FaultKind.InvalidArgument or FaultKind.NotFound or FaultKind.Unimplemented;

    private (Digest Digest, long Size, ImageManifest Manifest)? ManifestOf(Digest digest, PlatformMatcher matcher, int depth)
    {
        if (depth > DepthMax || !content.Has(digest)) return null;
        var bytes = content.ReadAll(digest);
        switch (ManifestReader.Read(bytes))
        {
            case ImageManifest manifest:
                return (digest, bytes.Length, manifest);
            case ImageIndex index:
                foreach (var entry in matcher.Select(index))
                {
                    if (ManifestOf(entry.Digest, matcher, depth + 1) is { } found) return found;
                }
                return null;
            default:
                return null;
        }
    }

    private ImageFacts Read(Digest digest, long size, ImageManifest manifest)
    {
        var config = ImageConfig.Parse(content.ReadAll(manifest.Config.Digest));
        config.CheckAgainst(manifest);
        return new ImageFacts(
            digest, manifest.Config.Digest, [.. manifest.Layers.Select(layer => layer.Digest)], config.Rootfs.DiffIds,
            size + manifest.ContentSize, DefaultsOf(config.Config));
    }

    private static ImageDefaults DefaultsOf(ImageProcess? process) => process is null
        ? new ImageDefaults()
        : new ImageDefaults
        {
            Entrypoint = process.Entrypoint,
            Command = process.Cmd,
            Environment = process.Env,
            WorkingDirectory = process.WorkingDir ?? "",
            User = process.User ?? "",
            StopSignal = process.StopSignal ?? "",
            Volumes = process.Volumes,
            Labels = process.Labels ?? ImmutableSortedDictionary<string, string>.Empty,
        };
}
