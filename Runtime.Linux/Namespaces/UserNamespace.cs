using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Processes;

namespace Runtime.Linux.Namespaces;

/// <summary>Makes user namespaces, user_namespaces(7).</summary>
/// <remarks>
/// unshare(2) refuses a process that has threads, and so does setns(2). So the C library's clone(3) starts a process
/// that
/// runs none of our code: it sleeps in libc, in memory that it shares with us, until its namespaces have been taken
/// over.
/// It ends by itself should this process be killed meanwhile. Every call blocks: not for an actor's thread.
/// </remarks>
public static unsafe class UserNamespace
{
    private const int CLONE_VM = 0x100;
    private const int CLONE_FILES = 0x400;

    /// <summary>sleep(3) alone: a page would do.</summary>
    private const int StackBytes = 32 * 1024;

    /// <summary>Longer than any use of the new namespaces; after it a forgotten process is gone.</summary>
    private const int SleepSeconds = 60;

    /// <summary>
    /// Makes a user namespace, and in the same moment others that it owns. They end when <paramref name="use"/>
    /// returns, unless
    /// it has opened or pinned them.
    /// </summary>
    /// <param name="owned">CLONE_NEW flags of the others, combined; 0 for none.</param>
    /// <param name="use">Gets the directory <c>/proc/PID/ns</c>, where every namespace is a file.</param>
    public static void Create(IdRange uids, IdRange gids, NamespaceKind owned, Action<string> use)
    {
        var stack = (byte*)NativeMemory.AlignedAlloc(StackBytes, 16);
        var pid = 0;
        try
        {
            pid = Start(stack, (int)(NamespaceKind.User | owned));
            WriteMap(pid, "uid_map", uids);
            WriteMap(pid, "gid_map", gids);
            use($"/proc/{pid}/ns");
        }
        finally
        {
            if (pid > 0)
            {
                ProcessControl.TrySignal(pid, Signals.SIGKILL);
                Children.Reap(pid, isClone: true);
            }
            NativeMemory.AlignedFree(stack);
        }
    }

    /// <summary>A user namespace that lives as long as the handle: for id-mapped mounts.</summary>
    public static SafeFileHandle Open(IdRange uids, IdRange gids)
    {
        SafeFileHandle? handle = null;
        Create(uids, gids, 0, directory => handle = Descriptors.Open($"{directory}/user", FileConstants.O_RDONLY));
        return handle!;
    }

    // Without SIGCHLD at its end: nobody who waits for "any child" takes it from us.
    private static int Start(byte* stack, int namespaces)
    {
        var sleep = NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "sleep");
        byte* all = stackalloc byte[Signals.MaskBytes], before = stackalloc byte[Signals.MaskBytes];
        _ = ProcessCalls.sigfillset(all);
        // Our handlers would run in it, on our memory.
        _ = ProcessCalls.pthread_sigmask(ProcessCalls.SIG_SETMASK, all, before);
        var pid = NamespaceCalls.clone(sleep, stack + StackBytes, CLONE_VM | CLONE_FILES | namespaces, SleepSeconds);
        var errno = Errno.Last;
        _ = ProcessCalls.pthread_sigmask(ProcessCalls.SIG_SETMASK, before, null);
        return pid > 0 ? pid : throw Failure(errno);
    }

    private static void WriteMap(int pid, string file, IdRange range) => File.WriteAllText(
        $"/proc/{pid}/{file}", string.Create(CultureInfo.InvariantCulture, $"{range.Inside} {range.Outside} {range.Count}\n"));

    private static FaultException Failure(int errno) => errno == Errno.ENOSPC
        ? new FaultException(FaultKind.ResourceExhausted, "namespace.too-many-users",
            "No more user namespaces are allowed: /proc/sys/user/max_user_namespaces.")
        : Errno.Fault(errno, "clone", "CLONE_NEWUSER");
}
