using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Runtime.Faults;

namespace Runtime.Oci.Images;

/// <summary>Operating system and processor that an image is for, in Go's terms (OCI image spec 1.1, image-index.md).</summary>
public sealed record Platform
{
    private const int MaxPartLength = 64;

    /// <summary>Empty where an index says null, which matches nothing.</summary>
    [JsonPropertyName("architecture")]
    public required string Architecture { get; init => field = value ?? ""; }

    /// <inheritdoc cref="Architecture"/>
    [JsonPropertyName("os")]
    public required string Os { get; init => field = value ?? ""; }

    /// <summary><c>v7</c> of arm, <c>v3</c> of amd64; null where there is only one.</summary>
    [JsonPropertyName("variant")]
    public string? Variant { get; init; }

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    [JsonPropertyName("os.features")]
    [JsonConverter(typeof(ImmutableArrayConverter<string>))]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public ImmutableArray<string> OsFeatures { get; init; }

    /// <summary>This machine's. The level of an amd64 processor is not told apart, as containerd does not.</summary>
    public static Platform Host { get; } = new Platform
    {
        Os = "linux",
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
            System.Runtime.InteropServices.Architecture.X86 => "386",
            System.Runtime.InteropServices.Architecture.Arm => "arm",
            var other => other.ToString().ToLowerInvariant(),
        },
    }.Normalize();

    /// <summary>What BuildKit names an entry that is no image but attests one.</summary>
    [JsonIgnore]
    public bool IsUnknown => Os is "unknown" || Architecture is "unknown";

    /// <summary>Reads <c>os/arch[/variant]</c>, <c>arch</c> (of linux) or <c>os</c> (of this machine's processor).</summary>
    /// <exception cref="FaultException">InvalidArgument <c>platform.malformed</c>.</exception>
    public static Platform Parse(string text)
    {
        var parts = text.Split('/');
        if (parts.Length > 3 || parts.Any(part => !IsPart(part)))
        {
            throw new FaultException(
                FaultKind.InvalidArgument, "platform.malformed",
                $"\"{Shown.Of(text)}\" is no platform: os/architecture[/variant] is needed, such as linux/arm64.");
        }
        var platform = parts switch
        {
            [var os] when IsOs(os) => Host with { Os = os },
            [var architecture] => new Platform { Os = "linux", Architecture = architecture },
            [var os, var architecture] => new Platform { Os = os, Architecture = architecture },
            _ => new Platform { Os = parts[0], Architecture = parts[1], Variant = parts[2] },
        };
        return platform.Normalize();
    }

    /// <summary>The one spelling of each platform: <c>x86_64</c> is <c>amd64</c>, <c>arm64/v8</c> is <c>arm64</c>.</summary>
    public Platform Normalize()
    {
        var os = Os.ToLowerInvariant() is "macos" ? "darwin" : Os.ToLowerInvariant();
        var variant = Variant?.ToLowerInvariant() ?? "";
        var (architecture, level) = (Architecture.ToLowerInvariant(), variant) switch
        {
            ("i386" or "i486" or "i586" or "i686" or "386", _) => ("386", ""),
            ("x86_64" or "x86-64" or "amd64", "v1") => ("amd64", ""),
            ("x86_64" or "x86-64" or "amd64", _) => ("amd64", variant),
            ("aarch64" or "arm64", "8" or "v8" or "v8.0") => ("arm64", ""),
            ("aarch64" or "arm64", "9" or "9.0" or "v9.0") => ("arm64", "v9"),
            ("aarch64" or "arm64", _) => ("arm64", variant),
            ("armhf", _) => ("arm", "v7"),
            ("armel", _) => ("arm", "v6"),
            ("arm", "" or "7") => ("arm", "v7"),
            ("arm", "5" or "6" or "8") => ("arm", "v" + variant),
            (var other, _) => (other, variant),
        };
        return this with { Os = os, Architecture = architecture, Variant = level.Length == 0 ? null : level };
    }

    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";

    private static bool IsOs(string text) => text.ToLowerInvariant() is "linux" or "darwin" or "macos" or "windows" or "freebsd";

    private static bool IsPart(string part) => part.Length is > 0 and <= MaxPartLength
        && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
