using Runtime.Linux.Cgroups;
using Runtime.Linux.Files;
using Runtime.Linux.Namespaces;

namespace Runtime.Actors.Sandboxes;

/// <summary>Namespaces, files and cgroups of this machine.</summary>
public sealed class SandboxResources(SandboxOptions options, CgroupHierarchy cgroups, TimeProvider clock) : ISandboxResources
{
    /// <summary>How long killed processes may take to leave the cgroup; what hangs in the kernel longer is tried again.</summary>
    private static readonly TimeSpan CgroupPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// An actor that was restarted begins again while system calls of its former self, which nothing can cancel, still run:
    /// two pins on one path would be two namespaces. Sized so that sandboxes seldom share one.
    /// </summary>
    private readonly Lock[] _turns = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];

    public void Pin(SandboxPlan plan)
    {
        lock (TurnOf(plan.Id)) PinAll(plan);
    }

    public void Prepare(SandboxPlan plan)
    {
        lock (TurnOf(plan.Bundle))
        {
            SandboxFiles.Write(plan);
            SandboxBundle.Write(plan);
            cgroups.Create(plan.CgroupPath);
        }
    }

    public bool HasNetwork(SandboxPlan plan) => plan.HasNetwork && NamespacePin.IsPinned(plan.NetworkNamespacePath);

    public string Missing(SandboxPlan plan)
    {
        foreach (var pin in Pins(plan))
            if (!NamespacePin.IsPinned(pin)) return $"The namespace {pin}";
        return Directory.Exists(plan.Bundle) ? "" : $"The bundle {plan.Bundle}";
    }

    public void Unpin(SandboxPlan plan)
    {
        lock (TurnOf(plan.Id))
            foreach (var pin in Pins(plan)) NamespacePin.Remove(pin);
    }

    public async Task DeleteAsync(SandboxPlan plan, CancellationToken cancellation)
    {
        SandboxBundle.Delete(plan);
        SandboxFiles.Delete(plan);
        cgroups.KillAll(plan.CgroupPath);
        await cgroups.DeleteAsync(plan.CgroupPath, CgroupPatience, clock, cancellation);
    }

    private void PinAll(SandboxPlan plan)
    {
        DurableFiles.MakePrivateDirectory(plan.Directory);
        if (plan.UserNamespacePath is not null)
        {
            UserNamespacePins.Make(plan, InitializeNetwork, () => WriteSysctls(plan, NamespaceKind.Ipc));
            return;
        }
        // A new network namespace costs the most by far, and the kernel makes two kinds at once.
        var network = Task.Run(() => Pin(NamespaceKind.Network, plan.NetworkNamespacePath, () => InitializeNetwork(plan)));
        Pin(NamespaceKind.Ipc, plan.IpcNamespacePath, () => WriteSysctls(plan, NamespaceKind.Ipc));
        Pin(NamespaceKind.Uts, plan.UtsNamespacePath, () => SetHostname(plan));
        network.GetAwaiter().GetResult();
    }

    private static IEnumerable<string> Pins(SandboxPlan plan) =>
        new[] { plan.NetworkNamespacePath, plan.IpcNamespacePath, plan.UtsNamespacePath, plan.UserNamespacePath ?? "" }
            .Where(path => path.Length > 0);

    internal static void SetHostname(SandboxPlan plan)
    {
        if (plan.Config.Hostname.Length > 0) NamespacePin.SetHostname(plan.Config.Hostname);
    }

    private static void Pin(NamespaceKind kind, string path, Action initialize)
    {
        // A pin is set last, so one that is there is complete.
        if (path.Length > 0 && !NamespacePin.IsPinned(path)) NamespacePin.Create(kind, path, initialize);
    }

    private static void WriteSysctls(SandboxPlan plan, NamespaceKind kind)
    {
        foreach (var (name, value) in plan.Config.Sysctls)
            if (Sysctl.NamespaceOf(name) == kind) Sysctl.Write(name, value);
    }

    // Pins and files of one sandbox are made at the same time, so their keys differ.
    private Lock TurnOf(string key) => _turns[(uint)string.GetHashCode(key, StringComparison.Ordinal) % _turns.Length];

    private void InitializeNetwork(SandboxPlan plan)
    {
        Loopback.Up();
        if (options.UnprivilegedPorts) Sysctl.Write("net.ipv4.ip_unprivileged_port_start", "0");
        // The range has groups that a user namespace does not map: the kernel refuses it there.
        if (options.UnprivilegedIcmp && plan.UserNamespacePath is null) Sysctl.Write("net.ipv4.ping_group_range", "0 2147483647");
        // After the defaults: the pod's own word counts.
        WriteSysctls(plan, NamespaceKind.Network);
    }
}
