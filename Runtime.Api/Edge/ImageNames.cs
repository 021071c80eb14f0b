using System.Text.RegularExpressions;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>Image references as people write them, in the form that the store keeps.</summary>
public static partial class ImageNames
{
    /// <summary>Fills in what a short name leaves out: <c>busybox</c> is <c>docker.io/library/busybox:latest</c>.</summary>
    /// <exception cref="FaultException">InvalidArgument when it is no reference.</exception>
    public static string Normalise(string reference) =>
        TryNormalise(reference) ?? throw new FaultException(FaultKind.InvalidArgument, "image.invalid-reference",
            $"\"{reference}\" is not an image reference such as busybox, ghcr.io/a/b:tag or name@sha256:HEX.");

    /// <summary>Null when it is no reference.</summary>
    public static string? TryNormalise(string reference)
    {
        if (reference.Length is 0 or > 1024 || Form().Match(reference) is not { Success: true } match) return null;
        var name = match.Groups["name"].Value;
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        if (first.Length == 0 || (first != "localhost" && first.AsSpan().IndexOfAny('.', ':') < 0))
            name = slash < 0 ? $"docker.io/library/{name}" : $"docker.io/{name}";
        var tag = match.Groups["tag"].Value;
        var digest = match.Groups["digest"].Value;
        if (tag.Length == 0 && digest.Length == 0) tag = ":latest";
        return name + tag + digest;
    }

    /// <summary>The registry of a normalised reference: host, and port where it has one.</summary>
    public static string HostOf(string normalised) => normalised[..normalised.IndexOf('/', StringComparison.Ordinal)];

    [GeneratedRegex(
        """
        ^(?<name>(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?<tag>:[\w][\w.-]{0,127})?(?<digest>@sha256:[0-9a-f]{64})?$
        """,
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Form();
}
