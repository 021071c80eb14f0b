using System.Collections.Immutable;
using System.Globalization;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Cgroups;

/// <summary>The cgroups of a machine, v1, v2 or hybrid, below one root directory. Paths are as in <c>/kubepods/podX/leaf</c>.</summary>
/// <remarks>A path means the same cgroup in every hierarchy. Every call blocks: not for an actor's thread.</remarks>
public sealed partial class CgroupHierarchy
{
    public const string DefaultRoot = "/sys/fs/cgroup";

    /// <summary>Empty on v2. On a hybrid machine with the v2 hierarchy, which has no controllers.</summary>
    private readonly ImmutableArray<V1Hierarchy> _v1;

    /// <summary>One mounted v1 hierarchy: <c>cpu,cpuacct</c>, or a named one.</summary>
    private sealed record V1Hierarchy(string Directory, ImmutableArray<string> Controllers);

    private CgroupHierarchy(string root, CgroupMode mode, ImmutableArray<V1Hierarchy> v1)
    {
        Root = root;
        Mode = mode;
        _v1 = v1;
    }

    public string Root { get; }

    public CgroupMode Mode { get; }

    public bool IsV2 => Mode == CgroupMode.V2;

    /// <summary>Where the v2 hierarchy is mounted; null where there is none.</summary>
    private string? UnifiedRoot =>
        IsV2 ? Root : Mode == CgroupMode.Hybrid ? _v1.First(hierarchy => hierarchy.Controllers.IsEmpty).Directory : null;

    /// <summary>The controllers that can be used, sorted.</summary>
    public ImmutableSortedSet<string> Controllers => IsV2
        ? Words(CgroupFile.ReadText(Root, "cgroup.controllers"))
        : [.. _v1.SelectMany(hierarchy => hierarchy.Controllers)];

    /// <summary>Looks at what is mounted.</summary>
    /// <param name="root">A parameter so that tests can give a directory of their own.</param>
    /// <exception cref="FaultException">FailedPrecondition <c>cgroup.not-mounted</c></exception>
    public static CgroupHierarchy Detect(string root = DefaultRoot)
    {
        if (File.Exists(Path.Combine(root, "cgroup.controllers")))
            return new(root, CgroupMode.V2, []);
        var v1 = ImmutableArray.CreateBuilder<V1Hierarchy>();
        var hybrid = false;
        var directories = Directory.Exists(root) ? Directory.GetDirectories(root) : [];
        foreach (var directory in directories.Order(StringComparer.Ordinal))
        {
            // cpu is often a symlink to cpu,cpuacct: each hierarchy once.
            if (FileStatus.Of(directory).IsSymlink || !File.Exists(Path.Combine(directory, "cgroup.procs")))
                continue;
            var isUnified = File.Exists(Path.Combine(directory, "cgroup.controllers"));
            hybrid |= isUnified;
            v1.Add(new(directory, isUnified ? [] : [.. Path.GetFileName(directory).Split(',')]));
        }
        if (v1.Count == 0)
            throw new FaultException(FaultKind.FailedPrecondition, "cgroup.not-mounted", $"No cgroups are mounted at {root}.");
        return new(root, hybrid ? CgroupMode.Hybrid : CgroupMode.V1, v1.DrainToImmutable());
    }

    /// <summary>The path of a process' cgroup: v2's, or on v1 the memory controller's.</summary>
    /// <returns>Null where the process is gone.</returns>
    public string? PathOf(int pid)
    {
        var file = $"/proc/{pid}/cgroup";
        using var handle = Descriptors.TryOpen(file, FileConstants.O_RDONLY);
        if (handle is null)
            return null;
        string? path = null;
        foreach (var line in System.Text.Encoding.UTF8.GetString(Descriptors.ReadToEnd(handle, 64 * 1024, file)).Split('\n'))
        {
            var parts = line.Split(':', 3);
            if (parts.Length == 3 && (IsV2 ? parts[0] == "0" : parts[1].Split(',').Contains("memory")))
                path = parts[2];
        }
        return path;
    }

    public bool Exists(string path) => Directories(path).Any(Directory.Exists);

    /// <summary>The directory of a cgroup: v2's, or that of a v1 controller.</summary>
    /// <exception cref="FaultException">NotFound <c>cgroup.no-controller</c></exception>
    public string DirectoryOf(string path, string controller) => TryDirectoryOf(path, controller)
        ?? throw new FaultException(FaultKind.NotFound, "cgroup.no-controller", $"This machine has no cgroup controller {controller}.");

    /// <summary>Makes a cgroup with its parents in every hierarchy. On v2, the parents pass all controllers on. Repeatable.</summary>
    public void Create(string path)
    {
        var parts = Parts(path);
        foreach (var hierarchy in _v1)
        {
            var directory = hierarchy.Directory;
            foreach (var part in parts)
            {
                var parent = directory;
                directory = Path.Combine(parent, part);
                MakeDirectory(directory);
                if (hierarchy.Controllers.Contains("cpuset"))
                    InheritCpuset(parent, directory);
            }
        }
        if (!IsV2)
            return;
        var at = Root;
        foreach (var part in parts)
        {
            PassControllersOn(at);
            at = Path.Combine(at, part);
            MakeDirectory(at);
        }
    }

    /// <summary>Writes a control file of a controller that the machine has.</summary>
    public void Write(string path, string controller, string file, string value) =>
        CgroupFile.Write(DirectoryOf(path, controller), file, value);

    /// <summary>
    /// Removes a cgroup with the cgroups inside of it, in every hierarchy. No process is killed: while there are some, the kernel
    /// says EBUSY, and this tries again until <paramref name="patience"/> is used up. Repeatable.
    /// </summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="FaultException">FailedPrecondition <c>cgroup.busy</c></exception>
    public async Task<bool> DeleteAsync(string path, TimeSpan patience, TimeProvider clock, CancellationToken cancel = default)
    {
        Parts(path);
        var start = clock.GetTimestamp();
        var existed = Exists(path);
        for (var pause = TimeSpan.FromMilliseconds(5); ; pause = pause < TimeSpan.FromMilliseconds(200) ? pause * 2 : pause)
        {
            var busy = false;
            foreach (var directory in Directories(path))
                busy |= !TryRemove(directory);
            if (!busy)
                return existed;
            if (clock.GetElapsedTime(start) >= patience)
            {
                var pids = Processes(path, recursive: true);
                throw new FaultException(
                    FaultKind.FailedPrecondition, "cgroup.busy",
                    $"The cgroup {path} is still in use after {patience.TotalSeconds:0.#} s; processes: {string.Join(' ', pids.Take(20))}.");
            }
            await Task.Delay(pause, clock, cancel);
        }
    }

    /// <summary>Moves a process into a cgroup, in every hierarchy.</summary>
    public void AddProcess(string path, int pid)
    {
        foreach (var directory in Directories(path))
            CgroupFile.Write(directory, "cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The processes of a cgroup, in every hierarchy, sorted; empty for one that is missing.</summary>
    /// <param name="recursive">With those of the cgroups inside of it.</param>
    public ImmutableArray<int> Processes(string path, bool recursive)
    {
        var pids = new List<int>();
        foreach (var directory in Directories(path))
        {
            foreach (var each in recursive ? Descending(directory) : [directory])
                CgroupFile.ReadPids(each, "cgroup.procs", pids);
        }
        return [.. pids.Distinct().Order()];
    }

    private string? TryDirectoryOf(string path, string controller)
    {
        var parts = Parts(path);
        var root = IsV2 ? Root : _v1.FirstOrDefault(hierarchy => hierarchy.Controllers.Contains(controller))?.Directory;
        return root is null ? null : Path.Combine([root, .. parts]);
    }

    private IEnumerable<string> Directories(string path)
    {
        var parts = Parts(path);
        return IsV2 ? [Path.Combine([Root, .. parts])] : _v1.Select(hierarchy => Path.Combine([hierarchy.Directory, .. parts]));
    }

    /// <summary>Never the root itself, never out of it.</summary>
    private static string[] Parts(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0 || path.Contains('\0') || parts.Any(part => part is "." or ".." || part.Length > 255))
            throw new FaultException(FaultKind.InvalidArgument, "cgroup.bad-path", $"'{RawName.Shown(path)}' is no path of a cgroup.");
        return parts;
    }

    private static void MakeDirectory(string directory)
    {
        if (FileCalls.mkdir(directory, 0b111_101_101) < 0 && Errno.Last is var errno && errno != Errno.EEXIST)
            throw Errno.Fault(errno, "mkdir", directory);
    }

    /// <summary>A new v1 cpuset has neither CPUs nor memory nodes, and takes no process before it has.</summary>
    private static void InheritCpuset(string parent, string directory)
    {
        foreach (var file in (string[])["cpuset.cpus", "cpuset.mems"])
        {
            if (CgroupFile.ReadText(directory, file) is "" && CgroupFile.ReadText(parent, file) is { Length: > 0 } inherited)
                CgroupFile.Write(directory, file, inherited);
        }
    }

    /// <summary>One at a time: a controller that cannot be passed on (threaded parents, cpu with realtime tasks) must not stop the others.</summary>
    private static void PassControllersOn(string directory)
    {
        var missing = Words(CgroupFile.ReadText(directory, "cgroup.controllers"))
            .Except(Words(CgroupFile.ReadText(directory, "cgroup.subtree_control")));
        foreach (var controller in missing)
        {
            try
            {
                CgroupFile.Write(directory, "cgroup.subtree_control", $"+{controller}");
            }
            catch (FaultException refused) when (refused.Fault.Kind
                is FaultKind.FailedPrecondition or FaultKind.InvalidArgument or FaultKind.NotFound or FaultKind.Unimplemented)
            {
                // Statistics of this controller are null then, and a limit that needs it fails by name.
            }
        }
    }

    /// <summary>False while it is busy.</summary>
    private static bool TryRemove(string directory)
    {
        foreach (var each in Descending(directory))
        {
            if (FileCalls.rmdir(each) == 0)
                continue;
            var errno = Errno.Last;
            if (errno == Errno.EBUSY)
                return false;
            if (errno != Errno.ENOENT)
                throw Errno.Fault(errno, "rmdir", each);
        }
        return true;
    }

    /// <summary>A cgroup and all inside of it, innermost first.</summary>
    private static List<string> Descending(string directory)
    {
        if (!Directory.Exists(directory))
            return [];
        try
        {
            return Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories)
                .OrderByDescending(path => path.Length).Append(directory).ToList();
        }
        catch (DirectoryNotFoundException)
        {
            return [directory];
        }
    }

    private static ImmutableSortedSet<string> Words(string? text) =>
        [.. (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)];
}
