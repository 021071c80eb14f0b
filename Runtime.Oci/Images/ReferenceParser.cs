using System.Net;
using System.Net.Sockets;

namespace Runtime.Oci.Images;

/// <summary>Reads the grammar above <see cref="ImageReference"/>, from the end to the start: digest, tag, domain, path.</summary>
internal static class ReferenceParser
{
    // Longest name, tag and digest with their separators; longer text is refused unread.
    private const int MaxLength = ImageReference.MaxNameLength + 1 + ImageReference.MaxTagLength + 1 + 7 + 128;

    public static ImageReference? Parse(string text, out string problem)
    {
        problem = "";
        if (text.Length == 0) return Refuse("it is empty", out problem);
        if (text.Length > MaxLength) return Refuse("it is too long", out problem);

        var rest = text;
        var digest = default(Digest);
        if (rest.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at)
        {
            if (!Digest.TryParse(rest[(at + 1)..], out digest))
                return Refuse("what follows @ must be a sha256 or sha512 digest", out problem);
            rest = rest[..at];
        }

        string? tag = null;
        if (rest.LastIndexOf(':') is >= 0 and var colon && rest.IndexOf('/', colon) < 0)
        {
            tag = rest[(colon + 1)..];
            if (!IsTag(tag))
                return Refuse("a tag has 1 to 128 letters, digits, '_', '.' or '-' and begins with none of the last two", out problem);
            rest = rest[..colon];
        }

        if (digest.IsEmpty && tag is null && IsBareId(rest))
            return Refuse("64 hexadecimal digits are an image id, not a name", out problem);

        var (domain, path) = Split(rest);
        if (!IsDomain(domain)) return Refuse("the registry's name or port is malformed", out problem);
        foreach (var component in path.Split('/'))
        {
            if (!IsComponent(component))
            {
                return Refuse(
                    "each part of the repository is lower-case letters and digits, with '.', '_', '__' or '-' only between them",
                    out problem);
            }
        }
        if (domain.Length + 1 + path.Length > ImageReference.MaxNameLength)
            return Refuse("registry and repository have more than 255 characters", out problem);

        return new ImageReference(
            domain, path, tag ?? (digest.IsEmpty ? ImageReference.DefaultTag : null), digest);
    }

    private static ImageReference? Refuse(string why, out string problem)
    {
        problem = why;
        return null;
    }

    private static (string Domain, string Path) Split(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        var isDomain = first.AsSpan().ContainsAny(".:") || first == "localhost" || first.AsSpan().ContainsAnyInRange('A', 'Z');
        var domain = isDomain ? first : ImageReference.DefaultDomain;
        var path = isDomain ? name[(slash + 1)..] : name;
        if (domain == "index.docker.io") domain = ImageReference.DefaultDomain;
        if (domain == ImageReference.DefaultDomain && !path.Contains('/', StringComparison.Ordinal)) path = "library/" + path;
        return (domain, path);
    }

    private static bool IsBareId(string text) => text.Length == 64 && !text.AsSpan().ContainsAnyExcept(Digest.HexDigits);

    private static bool IsTag(string tag) =>
        tag.Length is > 0 and <= ImageReference.MaxTagLength
        && (char.IsAsciiLetterOrDigit(tag[0]) || tag[0] == '_')
        && tag.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    private static bool IsDomain(string domain)
    {
        var host = domain;
        // The colons of an IPv6 address are inside its brackets.
        if (domain.LastIndexOf(':') is >= 0 and var colon && domain.IndexOf(']', colon) < 0)
        {
            var port = domain.AsSpan(colon + 1);
            if (port.Length is 0 or > 5 || port.ContainsAnyExceptInRange('0', '9') || int.Parse(port) > ushort.MaxValue) return false;
            host = domain[..colon];
        }
        if (host.StartsWith('['))
        {
            return host.EndsWith(']') && !host.Contains('%', StringComparison.Ordinal)
                && IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out var address)
                && address.AddressFamily is AddressFamily.InterNetworkV6;
        }
        return host.Split('.').All(label =>
            label.Length > 0 && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
    }

    private static bool IsComponent(string component)
    {
        if (component.Length == 0 || !IsAlnum(component[0]) || !IsAlnum(component[^1])) return false;
        for (var i = 0; i < component.Length;)
        {
            if (IsAlnum(component[i]))
            {
                i++;
                continue;
            }
            var run = component.AsSpan(i).IndexOfAnyExcept(component[i]);
            var allowed = component[i] switch { '.' => 1, '_' => 2, '-' => int.MaxValue, _ => 0 };
            if (run > allowed || !IsAlnum(component[i + run])) return false;
            i += run;
        }
        return true;
    }

    private static bool IsAlnum(char c) => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c);
}
