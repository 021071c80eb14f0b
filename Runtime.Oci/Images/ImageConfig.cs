using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Runtime.Faults;

namespace Runtime.Oci.Images;

/// <summary>An image's configuration (OCI image spec 1.1, config.md). Its digest is the image id.</summary>
public sealed record ImageConfig
{
    /// <summary>History entries; each layer and each instruction that made none has one.</summary>
    internal const int MaxHistory = 16384;

    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("author")]
    public string? Author { get; init; }

    [JsonPropertyName("architecture")]
    public string? Architecture { get; init; }

    [JsonPropertyName("os")]
    public string? Os { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    /// <summary>Defaults of processes; an image may have none.</summary>
    [JsonPropertyName("config")]
    public ImageProcess? Config { get; init; }

    [JsonPropertyName("rootfs")]
    public required ImageRootfs Rootfs { get; init; }

    [JsonPropertyName("history")]
    [JsonConverter(typeof(ImmutableArrayConverter<HistoryEntry>))]
    public ImmutableArray<HistoryEntry> History { get; init => field = value.IsDefault ? [] : value; } = [];

    [JsonIgnore]
    public Platform Platform => new Platform
    {
        Os = Os ?? "",
        Architecture = Architecture ?? "",
        Variant = Variant,
        OsVersion = OsVersion,
    }.Normalize();

    /// <exception cref="FaultException">InvalidArgument <c>image-config.malformed</c>.</exception>
    public static ImageConfig Parse(ReadOnlyMemory<byte> json)
    {
        if (json.Length > ManifestReader.MaxBytes) throw Malformed($"it has more than {ManifestReader.MaxBytes} bytes");
        try
        {
            var config = OciJson.Read(json.Span, OciJson.Default.ImageConfig);
            Check(config);
            return config;
        }
        catch (JsonException problem)
        {
            throw Malformed(Shown.Of(problem.Message), problem);
        }
    }

    /// <summary>One diff id per layer, or the config is not of this manifest.</summary>
    /// <exception cref="FaultException">InvalidArgument <c>image-config.malformed</c>.</exception>
    public void CheckAgainst(ImageManifest manifest)
    {
        if (Rootfs.DiffIds.Length != manifest.Layers.Length)
            throw Malformed($"it has {Rootfs.DiffIds.Length} diff ids and the manifest {manifest.Layers.Length} layers");
    }

    public byte[] ToBytes() => OciJson.Write(this, OciJson.Default.ImageConfig);

    private static void Check(ImageConfig config)
    {
        if (config.Rootfs is null) throw Malformed("it has no rootfs");
        if (config.Rootfs.Type is not "layers") throw Malformed("its rootfs is not of type layers");
        if (config.Rootfs.DiffIds.Length > ManifestReader.MaxLayers) throw Malformed("it has too many diff ids");
        if (config.History.Length > MaxHistory) throw Malformed("its history is too long");
        if (config.Config is not { } process) return;
        if (process.Labels?.Values.Any(value => value is null) is true) throw Malformed("a label has no value");
        var words = process.Entrypoint.Concat(process.Cmd).Concat(process.Env).Concat(process.Volumes)
            .Append(process.User ?? "").Append(process.WorkingDir ?? "").Append(process.StopSignal ?? "");
        // execve ends a word at NUL: what is checked and what runs would differ.
        if (words.Any(word => word.Contains('\0', StringComparison.Ordinal)))
            throw Malformed("a word of its config contains NUL");
    }

    private static FaultException Malformed(string why, Exception? cause = null) =>
        new(FaultKind.InvalidArgument, "image-config.malformed", $"The image config cannot be used: {why}.", cause);
}
