namespace Runtime.Linux.Namespaces;

/// <summary>Kinds of namespaces, with the values of CLONE_NEW*, namespaces(7).</summary>
public enum NamespaceKind
{
    Mount = 0x00020000,
    Cgroup = 0x02000000,
    Uts = 0x04000000,
    Ipc = 0x08000000,
    User = 0x10000000,
    Pid = 0x20000000,
    Network = 0x40000000,
}
