using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Mounts;

/// <summary>What overlayfs can do here, found out by mounting.</summary>
/// <param name="IsSupported">An overlay of directories of the probed file system can be mounted.</param>
/// <param name="Reason">Why not, for a person; empty where it is supported.</param>
/// <param name="HasIndex">The <c>index=off</c> option is known: give it, or an upper directory cannot move between mounts.</param>
/// <param name="NeedsUserXattr">In a user namespace: <c>userxattr</c> has to be given (Linux 5.11).</param>
/// <param name="HasVolatile">The <c>volatile</c> option is known (Linux 5.10).</param>
public sealed record OverlayFeatures(bool IsSupported, string Reason, bool HasIndex, bool NeedsUserXattr, bool HasVolatile)
{
    /// <param name="directory">On the file system that will hold upper directories; a directory is made in it, and removed.</param>
    public static OverlayFeatures Probe(string directory)
    {
        var work = Path.Combine(directory, $".overlay-probe-{Environment.ProcessId}-{Environment.CurrentManagedThreadId}");
        try
        {
            foreach (var name in (string[])["lower1", "lower2", "upper", "work", "merged"])
                DurableFiles.MakePrivateDirectory(Path.Combine(work, name));
            var userXattr = InUserNamespace();
            var plain = TryMount(work, userXattr ? "userxattr" : null);
            return plain is null
                ? new(true, "", TryMount(work, "index=off", userXattr ? "userxattr" : null) is null, userXattr,
                    TryMount(work, "volatile", userXattr ? "userxattr" : null) is null)
                : new(false, plain, false, userXattr, false);
        }
        finally
        {
            Mounter.UnmountTree(work, lazy: true);
            DirectoryTree.Delete(work);
        }
    }

    /// <summary>Null where it worked.</summary>
    private static string? TryMount(string work, params string?[] options)
    {
        var merged = Path.Combine(work, "merged");
        try
        {
            Mounter.Mount(
                new("overlay", "overlay", "",
                [
                    $"lowerdir={work}/lower1:{work}/lower2", $"upperdir={work}/upper", $"workdir={work}/work",
                    .. options.OfType<string>(),
                ]), merged);
            Mounter.Unmount(merged);
            // A volatile mount leaves a mark that refuses the next one.
            DirectoryTree.Clear(Path.Combine(work, "work"));
            return null;
        }
        catch (FaultException failure)
        {
            return failure.Message;
        }
    }

    /// <summary>The first user namespace maps all ids onto themselves: <c>0 0 4294967295</c>.</summary>
    private static bool InUserNamespace() =>
        File.ReadAllText("/proc/self/uid_map").Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
            is not ["0", "0", "4294967295"];
}
