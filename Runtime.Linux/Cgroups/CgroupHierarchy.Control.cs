using System.Runtime.InteropServices;

namespace Runtime.Linux.Cgroups;

public sealed partial class CgroupHierarchy
{
    private const int SIGKILL = 9;

    /// <summary>
    /// Passes over a cgroup without cgroup.kill: a process that forks between two passes is met by the next one.
    /// Beyond that a fork bomb outruns this: freeze it first.
    /// </summary>
    private const int MaxKillPasses = 100;

    /// <summary>Asks the kernel to stop (or to resume) all processes of a cgroup. It takes a moment: see <see cref="IsFrozen"/>.</summary>
    public void Freeze(string path, bool frozen)
    {
        if (IsV2)
            CgroupFile.Write(DirectoryOf(path, "freezer"), "cgroup.freeze", frozen ? "1" : "0");
        else
            CgroupFile.Write(DirectoryOf(path, "freezer"), "freezer.state", frozen ? "FROZEN" : "THAWED");
    }

    /// <summary>Whether all processes of the cgroup are stopped by now; false for one that is missing.</summary>
    public bool IsFrozen(string path)
    {
        if (TryDirectoryOf(path, "freezer") is not { } directory)
            return false;
        if (!IsV2)
            return CgroupFile.ReadText(directory, "freezer.state") == "FROZEN";
        return ReadEvents(directory).Frozen;
    }

    /// <summary>Whether there is a process in the cgroup or inside of it.</summary>
    public bool IsPopulated(string path) => IsV2
        ? ReadEvents(DirectoryOf(path, "")).Populated
        : Processes(path, recursive: true).Length > 0;

    /// <summary>Kills every process in the cgroup and inside of it; a frozen cgroup is resumed on v1, so that it can die.</summary>
    /// <returns>How many processes were signalled. They are gone when <see cref="IsPopulated"/> says so.</returns>
    public int KillAll(string path)
    {
        if (IsV2 && File.Exists(Path.Combine(DirectoryOf(path, ""), "cgroup.kill")))
        {
            // Linux 5.14: also what forks meanwhile.
            var count = Processes(path, recursive: true).Length;
            CgroupFile.Write(DirectoryOf(path, ""), "cgroup.kill", "1");
            return count;
        }
        var killed = new HashSet<int>();
        for (var pass = 0; pass < MaxKillPasses; pass++)
        {
            var fresh = Processes(path, recursive: true).Where(killed.Add).ToList();
            if (fresh.Count == 0)
                break;
            foreach (var pid in fresh)
                Kill(pid);
        }
        if (!IsV2 && TryDirectoryOf(path, "freezer") is { } freezer && CgroupFile.ReadText(freezer, "freezer.state") is "FROZEN" or "FREEZING")
            Freeze(path, frozen: false);
        return killed.Count;
    }

    /// <summary>v2's cgroup.events; nothing for a cgroup that is missing.</summary>
    private static (bool Populated, bool Frozen) ReadEvents(string directory)
    {
        var events = (Populated: false, Frozen: false);
        CgroupFile.ReadKeyed(directory, "cgroup.events", ref events, static (key, value, ref events) =>
        {
            if (key.SequenceEqual("populated"u8))
                events.Populated = value != 0;
            else if (key.SequenceEqual("frozen"u8))
                events.Frozen = value != 0;
        });
        return events;
    }

    private static void Kill(int pid)
    {
        // 0 stands for a process of a pid namespace that cannot be seen from here; kill(0) would be our own group.
        if (pid > 0 && kill(pid, SIGKILL) < 0 && Errno.Last is var errno && errno != Errno.ESRCH)
            throw Errno.Fault(errno, "kill", $"process {pid}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
