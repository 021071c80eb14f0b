namespace Runtime.Ttrpc.Sandboxes;

/// <summary>Annotations of CreateSandbox that our shim understands: how a pod without a pause process is made.</summary>
public static class SandboxAnnotations
{
    /// <summary><c>true</c>: start a pid 1 that reaps, in a new pid namespace.</summary>
    public const string SharedPid = "io.actord.sandbox.shared-pid";

    /// <summary>Path of the user namespace that pid 1 is in, and that owns its pid namespace; absent for the host's.</summary>
    public const string UserNamespace = "io.actord.sandbox.user";

    /// <summary>Path of the IPC namespace that pid 1 joins; absent for the host's.</summary>
    public const string IpcNamespace = "io.actord.sandbox.ipc";

    /// <summary>Path of the UTS namespace that pid 1 joins; absent for the host's.</summary>
    public const string UtsNamespace = "io.actord.sandbox.uts";

    /// <summary>The cgroup that pid 1 is put into, relative to each hierarchy's root; absent: the shim's own.</summary>
    public const string CgroupPath = "io.actord.sandbox.cgroup";
}
