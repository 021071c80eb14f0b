using System.Collections.Immutable;
using System.Text.Json;
using Runtime.Faults;

namespace Runtime.Oci.Images;

/// <summary>
/// Reads what a registry calls a manifest. The bytes are hostile: they are bounded, and a document that could be read as two
/// different things (CVE-2021-41190) is refused.
/// </summary>
public static class ManifestReader
{
    /// <summary>Bytes of a manifest, index or image config. The size is containerd's; a registry of the CNCF stops at 4 MiB.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>Layers of one image; the kernel's overlay stacks fewer than 500.</summary>
    public const int MaxLayers = 1024;

    /// <summary>Entries of one index.</summary>
    public const int MaxManifests = 4096;

    private const int MaxMediaTypeLength = 255;
    private const int MaxUrls = 64;

    /// <summary>Reads an <see cref="ImageManifest"/> or an <see cref="ImageIndex"/>.</summary>
    /// <param name="declaredMediaType">From the descriptor or the Content-Type header; must not contradict the document.</param>
    /// <exception cref="FaultException">InvalidArgument <c>manifest.malformed</c> or <c>manifest.too-large</c>, Unimplemented
    /// <c>manifest.schema1</c>.</exception>
    public static ManifestDocument Read(ReadOnlyMemory<byte> json, string? declaredMediaType = null)
    {
        if (json.Length > MaxBytes)
        {
            throw new FaultException(
                FaultKind.InvalidArgument, "manifest.too-large", $"The manifest has {json.Length} bytes; {MaxBytes} are allowed.");
        }
        try
        {
            var outline = OciJson.Read(json.Span, OciJson.Default.ManifestOutline);
            if (outline.IsSchema1 || MediaTypes.IsSchema1(declaredMediaType)) throw Schema1();
            var mediaType = MediaTypeOf(outline, declaredMediaType);
            ManifestDocument document = MediaTypes.IsIndex(mediaType)
                ? OciJson.Read(json.Span, OciJson.Default.ImageIndex)
                : OciJson.Read(json.Span, OciJson.Default.ImageManifest);
            Check(document);
            return document with { MediaType = mediaType };
        }
        catch (JsonException problem)
        {
            throw Malformed(Shown.Of(problem.Message), problem);
        }
    }

    internal static FaultException Malformed(string why, Exception? cause = null) =>
        new(FaultKind.InvalidArgument, "manifest.malformed", $"The manifest cannot be used: {why}.", cause);

    private static string MediaTypeOf(ManifestOutline outline, string? declared)
    {
        if (outline.SchemaVersion is not 2) throw Malformed("its schemaVersion is not 2");
        if (outline.HasManifests && (outline.HasLayers || outline.HasConfig))
            throw Malformed("it has manifests and also a config or layers");
        if (!outline.HasManifests && !outline.HasConfig) throw Malformed("it has neither manifests nor a config");

        var said = outline.MediaType;
        var shape = outline.HasManifests ? MediaTypes.OciIndex : MediaTypes.OciManifest;
        // A Content-Type such as application/json declares nothing.
        var known = IsKnown(declared) ? declared : null;
        if (said is not null && known is not null && said != known)
            throw Malformed($"it says {Shown.Of(said)} and was declared to be {declared}");
        var mediaType = said ?? known ?? shape;
        if (!IsKnown(mediaType)) throw Malformed($"its media type {Shown.Of(mediaType)} is not known");
        if (MediaTypes.IsIndex(mediaType) != outline.HasManifests)
            throw Malformed($"its content does not fit its media type {mediaType}");
        return mediaType;
    }

    private static bool IsKnown(string? mediaType) => MediaTypes.IsIndex(mediaType) || MediaTypes.IsManifest(mediaType);

    private static void Check(ManifestDocument document)
    {
        switch (document)
        {
            case ImageManifest manifest:
                if (manifest.Layers.Length > MaxLayers) throw Malformed($"it has more than {MaxLayers} layers");
                CheckSum(manifest);
                break;
            case ImageIndex index when index.Manifests.Length > MaxManifests:
                throw Malformed($"it has more than {MaxManifests} manifests");
        }
        foreach (var child in document.Children) Check(child);
        if (document.Subject is { } subject) Check(subject);
        CheckAnnotations(document.Annotations);
    }

    // The total is summed up elsewhere without overflow checks, and becomes a disk reservation.
    private static void CheckSum(ImageManifest manifest)
    {
        var rest = long.MaxValue;
        foreach (var child in manifest.Children)
        {
            if (child.Size > rest) throw Malformed("its sizes add up to more than 8 EiB");
            rest -= Math.Max(0, child.Size);
        }
    }

    private static void Check(Descriptor descriptor)
    {
        if (descriptor.Digest.IsEmpty) throw Malformed("a descriptor has no digest");
        if (descriptor.Size < 0) throw Malformed($"{descriptor.Digest} has the size {descriptor.Size}");
        if (string.IsNullOrEmpty(descriptor.MediaType) || descriptor.MediaType.Length > MaxMediaTypeLength)
            throw Malformed($"{descriptor.Digest} has no usable media type");
        if (descriptor.Urls.Length > MaxUrls) throw Malformed($"{descriptor.Digest} has more than {MaxUrls} urls");
        CheckAnnotations(descriptor.Annotations);
    }

    private static void CheckAnnotations(ImmutableSortedDictionary<string, string>? annotations)
    {
        // The serializer lets null through for a string value.
        if (annotations is not null && annotations.Values.Any(value => value is null))
            throw Malformed("an annotation has no value");
    }

    internal static FaultException Schema1() => new(
        FaultKind.Unimplemented, "manifest.schema1",
        "The image has a Docker schema 1 manifest, which cannot be verified and is no longer supported: push it again with a current tool.");
}
