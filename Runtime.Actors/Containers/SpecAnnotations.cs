namespace Runtime.Actors.Containers;

/// <summary>Annotations of a spec that shims, cAdvisor and NRI plugins read: the names are containerd's.</summary>
public static class SpecAnnotations
{
    public const string ContainerType = "io.kubernetes.cri.container-type";
    public const string SandboxId = "io.kubernetes.cri.sandbox-id";
    public const string SandboxName = "io.kubernetes.cri.sandbox-name";
    public const string SandboxNamespace = "io.kubernetes.cri.sandbox-namespace";
    public const string SandboxUid = "io.kubernetes.cri.sandbox-uid";
    public const string ContainerName = "io.kubernetes.cri.container-name";
    public const string LogDirectory = "io.kubernetes.cri.sandbox-log-directory";
    public const string ImageName = "io.kubernetes.cri.image-name";

    /// <summary>
    /// Whether a glob of the configuration takes an annotation: <c>*</c> and <c>?</c> stand for anything but a slash,
    /// <c>[a-z]</c> and <c>[^a-z]</c> for one of, or none of, what they list.
    /// </summary>
    public static bool Matches(ReadOnlySpan<char> glob, ReadOnlySpan<char> key)
    {
        if (glob.IsEmpty) return key.IsEmpty;
        if (glob[0] == '*')
        {
            for (var taken = 0; ; taken++)
            {
                if (Matches(glob[1..], key[taken..])) return true;
                if (taken == key.Length || key[taken] == '/') return false;
            }
        }
        if (glob[0] == '[' && glob.IndexOf(']') is > 1 and var end)
            return !key.IsEmpty && key[0] != '/' && IsListed(glob[1..end], key[0]) && Matches(glob[(end + 1)..], key[1..]);
        return !key.IsEmpty && (glob[0] == key[0] || (glob[0] == '?' && key[0] != '/')) && Matches(glob[1..], key[1..]);
    }

    private static bool IsListed(ReadOnlySpan<char> list, char one)
    {
        var excludes = list[0] == '^';
        var found = false;
        for (var at = excludes ? 1 : 0; at < list.Length; at++)
        {
            var last = at + 2 < list.Length && list[at + 1] == '-' ? list[at + 2] : list[at];
            found |= one >= list[at] && one <= last;
            if (last != list[at]) at += 2;
        }
        return found != excludes;
    }
}
