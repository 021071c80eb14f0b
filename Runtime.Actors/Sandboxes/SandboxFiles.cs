using System.Text;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Sandboxes;

/// <summary>The files that every container of a pod gets to see: hostname, hosts, resolv.conf, shm.</summary>
internal static class SandboxFiles
{
    private const UnixFileMode ForAllToRead =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static void Write(SandboxPlan plan)
    {
        var existed = Directory.Exists(Path.Combine(plan.Directory, "shm"));
        DurableFiles.MakePrivateDirectory(plan.Directory);
        Write(plan, "hostname", $"{plan.Hostname}\n");
        Write(plan, "hosts", HostFile("/etc/hosts") ?? "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
        Write(plan, "resolv.conf", plan.Config.Dns is { } dns ? ResolvConf(dns) : HostFile("/etc/resolv.conf") ?? "");
        if (plan.IpcNamespacePath.Length == 0) return;
        var shm = Path.Combine(plan.Directory, "shm");
        // Only what was interrupted can have mounted it: the table of mounts is not read for a new one.
        if (existed && MountTable.Read().IsMountPoint(shm)) return;
        Directory.CreateDirectory(shm);
        Mounter.MountShm(shm);
        Own(plan, shm);
    }

    public static void Delete(SandboxPlan plan)
    {
        Mounter.UnmountTree(plan.Directory, lazy: true);
        DirectoryTree.Delete(plan.Directory);
    }

    /// <summary>resolv.conf(5).</summary>
    internal static string ResolvConf(DnsConfig dns)
    {
        var text = new StringBuilder();
        if (!dns.Searches.IsEmpty) text.Append("search ").AppendJoin(' ', dns.Searches).Append('\n');
        foreach (var server in dns.Servers) text.Append("nameserver ").Append(server).Append('\n');
        if (!dns.Options.IsEmpty) text.Append("options ").AppendJoin(' ', dns.Options).Append('\n');
        return text.ToString();
    }

    // They live as long as the boot does, so nothing is synced to disk.
    private static void Write(SandboxPlan plan, string name, string content)
    {
        var path = Path.Combine(plan.Directory, name);
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, ForAllToRead);
        Own(plan, path);
    }

    /// <summary>They are the pod's alone, so what is root's in there is root's of its user namespace.</summary>
    private static void Own(SandboxPlan plan, string path)
    {
        if (plan.UserNamespacePath is null) return;
        var security = plan.Config.Security;
        Inodes.ChangeOwner(path, security.UidMappings[0].HostId, security.GidMappings[0].HostId);
    }

    private static string? HostFile(string path) => File.Exists(path) ? File.ReadAllText(path) : null;
}
