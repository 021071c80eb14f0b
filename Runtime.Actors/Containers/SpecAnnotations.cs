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

    /// <summary>Whether a glob of the configuration takes an annotation: <c>*</c> and <c>?</c> stand for anything but a slash.</summary>
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
        return !key.IsEmpty && (glob[0] == key[0] || (glob[0] == '?' && key[0] != '/')) && Matches(glob[1..], key[1..]);
    }
}
