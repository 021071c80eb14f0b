using System.Diagnostics.CodeAnalysis;
using Runtime.Faults;

namespace Runtime.Oci.Images;

/// <summary>
/// A normalised image reference, <c>domain/path[:tag][@digest]</c>, by the grammar of the distribution project. Short names are
/// completed as Docker does: <c>busybox</c> is <c>docker.io/library/busybox:latest</c>. There is always a tag or a digest.
/// </summary>
/// <remarks>
/// <code>
/// reference  := name [ ":" tag ] [ "@" digest ]          name: 255 characters at most
/// name       := [ domain "/" ] component *( "/" component )
/// domain     := host [ ":" port ]                         has a dot, a colon or a capital, or is localhost
/// host       := label *( "." label ) | "[" IPv6 "]"
/// component  := alnum *( ( "." | "_" | "__" | 1*"-" ) alnum )     lower case
/// tag        := [A-Za-z0-9_] 0*127[A-Za-z0-9_.-]
/// </code>
/// </remarks>
public sealed record ImageReference
{
    public const string DefaultDomain = "docker.io";
    public const string DefaultTag = "latest";

    internal const int MaxNameLength = 255;
    internal const int MaxTagLength = 128;

    internal ImageReference(string domain, string path, string? tag, Digest digest)
    {
        Domain = domain;
        Path = path;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>Registry as the user names it, with its port: <c>docker.io</c>, <c>localhost:5000</c>.</summary>
    public string Domain { get; }

    /// <summary>Repository in the registry: <c>library/busybox</c>.</summary>
    public string Path { get; }

    /// <summary>Null when the reference has a digest only.</summary>
    public string? Tag { get; }

    /// <summary>Empty when the reference has a tag only. Where both are given the digest decides.</summary>
    public Digest Digest { get; }

    /// <summary><c>docker.io/library/busybox</c>.</summary>
    public string Name => $"{Domain}/{Path}";

    /// <summary>The name as Docker shows it: <c>busybox</c>, <c>alice/tool</c>, <c>registry.example/tool</c>.</summary>
    public string FamiliarName => Domain != DefaultDomain ? Name
        : Path.StartsWith("library/", StringComparison.Ordinal) ? Path["library/".Length..]
        : Path;

    /// <summary>What is asked of the registry: the digest where there is one, else the tag.</summary>
    public string Target => Digest.IsEmpty ? Tag! : Digest.ToString();

    /// <summary><c>name:tag</c>, or null for a reference by digest: CRI stores no tag for those.</summary>
    public string? RepoTag => Tag is not null && Digest.IsEmpty ? $"{Name}:{Tag}" : null;

    /// <summary>The name with this digest and no tag: CRI's repo digest.</summary>
    public string RepoDigest(Digest digest) => $"{Name}@{digest}";

    /// <summary>The same repository at this digest, without a tag.</summary>
    public ImageReference At(Digest digest) => new(Domain, Path, null, digest);

    /// <summary>The same repository at this tag.</summary>
    /// <exception cref="FaultException">InvalidArgument <c>reference.malformed</c>.</exception>
    public ImageReference WithTag(string tag) => Parse($"{Name}:{tag}");

    /// <exception cref="FaultException">InvalidArgument <c>reference.malformed</c>.</exception>
    public static ImageReference Parse(string text) => ReferenceParser.Parse(text, out var problem)
        ?? throw new FaultException(
            FaultKind.InvalidArgument, "reference.malformed", $"\"{Shown.Of(text)}\" is no image reference: {problem}.");

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ImageReference? reference)
    {
        reference = text is null ? null : ReferenceParser.Parse(text, out _);
        return reference is not null;
    }

    public override string ToString() =>
        Name + (Tag is null ? "" : ":" + Tag) + (Digest.IsEmpty ? "" : "@" + Digest);
}
