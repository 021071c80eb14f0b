using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Io;
using Runtime.Linux.Namespaces;

namespace Runtime.Linux.Processes;

/// <summary>What the pid 1 of a new pid namespace is in besides; null: what this process is in.</summary>
/// <param name="User">Owns the new pid namespace then.</param>
public sealed record InitNamespaces(SafeFileHandle? User, SafeFileHandle? Network, SafeFileHandle? Ipc, SafeFileHandle? Uts);

/// <summary>
/// A pid 1 without a program: this process forked, which the kernel has reap its orphans, and which ends on SIGTERM. It
/// has an
/// empty root of its own, no descriptors, no capabilities, and is not dumpable, so that nothing of the host can be
/// reached
/// through its /proc entries from inside of the pod.
/// </summary>
/// <remarks>
/// 1. A fork, which has one thread: only that may enter a user namespace, setns(2). 2. It enters, makes the pid
/// namespace for its
/// children, forks the pid 1, tells its id, and ends; the pid 1 becomes a child of the nearest subreaper. 3. The pid 1
/// gives up
/// what it has, and says so. After a fork only the calling thread is left, so neither the collector nor the loader may
/// be
/// needed: the children run straight-line code on raw C functions, without an allocation, a static or an exception.
/// </remarks>
public static unsafe class ForkedInit
{
    /// <summary>As its cmdline begins, and its comm.</summary>
    public const string Name = "actord-pod";

    private const int CLONE_NEWNS = 0x00020000;
    private const int CLONE_NEWPID = 0x20000000;
    private const int PR_SET_DUMPABLE = 4;
    private const int MNT_DETACH = 2;
    private const ulong MS_NOSUID_NODEV_NOEXEC = 2 | 4 | 8;
    private const ulong MS_REC_PRIVATE = 0x4000 | 0x40000;
    private const int SYS_close_range = 436;

    /// <summary>
    /// Some ten system calls; beyond that it was forked while a collection stopped the world, and hangs.
    /// </summary>
    private const int PatienceMs = 10_000;

    private const int Forked = 1;
    private const int Ready = 2;
    private const int Failed = 3;

    private static readonly string[] Steps =
        ["fork", "setns user", "setresgid", "setresuid", "setns net", "setns ipc", "setns uts", "unshare pid", "unshare mnt",
            "mount private", "mount tmpfs", "chdir", "pivot_root", "umount2", "setgroups", "prctl no_new_privs", "capset", "prctl dumpable"];

    /// <summary>Its id in this process' pid namespace. Reap it: it is a child of the nearest subreaper.</summary>
    /// <exception cref="FaultException">Nothing of it is left.</exception>
    public static int Start(InitNamespaces namespaces)
    {
        int* ends = stackalloc int[2];
        if (IoCalls.pipe2(ends, IoCalls.O_CLOEXEC) < 0)
            throw Errno.Fault("pipe2");
        using var results = new SafeFileHandle(ends[0], ownsHandle: true);
        using var report = new SafeFileHandle(ends[1], ownsHandle: true);
        var plan = PlanOf(namespaces, ends[1]);
        byte* all = stackalloc byte[Signals.MaskBytes], before = stackalloc byte[Signals.MaskBytes], awaited = stackalloc byte[Signals.MaskBytes];
        _ = ProcessCalls.sigfillset(all);
        Signals.Fill(awaited, [Signals.SIGTERM, Signals.SIGINT]);
        // Handlers of this process must not run in the others.
        _ = ProcessCalls.pthread_sigmask(ProcessCalls.SIG_SETMASK, all, before);
        var middle = Fork(&plan, awaited);
        var errno = middle < 0 ? *plan.Libc.Errno() : 0;
        _ = ProcessCalls.pthread_sigmask(ProcessCalls.SIG_SETMASK, before, null);
        GC.KeepAlive(namespaces);
        report.Dispose();
        return middle < 0 ? throw Errno.Fault(errno, "fork") : Await(results, middle);
    }

    private static int Await(SafeFileHandle results, int middle)
    {
        var init = 0;
        var message = new Message();
        while (true)
        {
            var poll = new IoCalls.PollDescriptor { File = (int)results.DangerousGetHandle(), Events = IoCalls.POLLIN };
            var ready = IoCalls.poll(&poll, 1, PatienceMs);
            if (ready < 0 && Errno.Last == Errno.EINTR)
                continue;
            var count = ready > 0 ? IoCalls.read(results, (byte*)&message, (nuint)sizeof(Message)) : 0;
            if (count == sizeof(Message) && message.Kind == Forked)
                init = message.Value;
            else if (count == sizeof(Message) && message.Kind == Ready)
                return init;
            else
                break;
        }
        foreach (var pid in new[] { middle, init })
        {
            if (pid > 0)
                ProcessControl.TrySignal(pid, Signals.SIGKILL);
        }
        throw message.Kind == Failed
            ? Errno.Fault(message.Value, Steps[message.Step])
            : new FaultException(FaultKind.Unavailable, "init.silent", "The pod's pid 1 did not come up; try again.");
    }

    /// <summary>Answers in this process only; what is forked here never returns.</summary>
    private static int Fork(Plan* plan, byte* awaited)
    {
        var middle = plan->Libc.Fork();
        if (middle != 0)
            return middle;
        EnterAll(plan);
        var init = plan->Libc.Fork();
        if (init < 0)
            Fail(plan, 0);
        if (init > 0)
        {
            Tell(plan, Forked, 0, init);
            plan->Libc.Exit(0);
        }
        GiveUpAll(plan);
        Tell(plan, Ready, 0, 0);
        plan->Libc.Close(plan->Report);
        var signal = 0;
        // What comes while it is blocked waits: no TERM is missed.
        while (plan->Libc.SigWait(awaited, &signal) != 0)
        {
        }
        plan->Libc.Exit(0);
        return 0;
    }

    private static void EnterAll(Plan* plan)
    {
        if (plan->User >= 0)
        {
            Check(plan, plan->Libc.SetNs(plan->User, (int)NamespaceKind.User), 1);
            Check(plan, plan->Libc.SetResGid(0, 0, 0), 2);
            Check(plan, plan->Libc.SetResUid(0, 0, 0), 3);
        }
        if (plan->Network >= 0)
            Check(plan, plan->Libc.SetNs(plan->Network, (int)NamespaceKind.Network), 4);
        if (plan->Ipc >= 0)
            Check(plan, plan->Libc.SetNs(plan->Ipc, (int)NamespaceKind.Ipc), 5);
        if (plan->Uts >= 0)
            Check(plan, plan->Libc.SetNs(plan->Uts, (int)NamespaceKind.Uts), 6);
        Check(plan, plan->Libc.Unshare(CLONE_NEWPID), 7);
    }

    private static void GiveUpAll(Plan* plan)
    {
        _ = plan->Libc.SetSid();
        // With SIGCHLD ignored the kernel reaps what ends below: orphans leave no zombies.
        _ = plan->Libc.Signal(Signals.SIGCHLD, 1);
        // On descriptor 0 the report is out of the range that is closed.
        _ = plan->Libc.Dup2(plan->Report, 0);
        plan->Report = 0;
        if (plan->Libc.SysCall(SYS_close_range, 1, -1, 0) < 0)
        {
            for (var file = 1; file < 4096; file++)
                _ = plan->Libc.Close(file);
        }
        Check(plan, plan->Libc.Unshare(CLONE_NEWNS), 8);
        Check(plan, plan->Libc.Mount(null, plan->Slash, null, MS_REC_PRIVATE, null), 9);
        // A place that every host has, and that a mapped root may search.
        Check(plan, plan->Libc.Mount(plan->Tmpfs, plan->Proc, plan->Tmpfs, MS_NOSUID_NODEV_NOEXEC, plan->TmpfsOptions), 10);
        Check(plan, plan->Libc.ChDir(plan->Proc), 11);
        Check(plan, (int)plan->Libc.SysCall(plan->PivotRoot, (nint)plan->Dot, (nint)plan->Dot, 0), 12);
        Check(plan, plan->Libc.Unmount(plan->Dot, MNT_DETACH), 13);
        Check(plan, plan->Libc.SetGroups(0, null), 14);
        Check(plan, plan->Libc.PrCtl(ProcessCalls.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 15);
        Check(plan, plan->Libc.CapSet(plan->CapabilityHeader, plan->CapabilitySets), 16);
        Check(plan, plan->Libc.PrCtl(PR_SET_DUMPABLE, 0, 0, 0, 0), 17);
        _ = plan->Libc.PrCtl(ProcessCalls.PR_SET_NAME, (nuint)plan->NameBytes, 0, 0, 0);
        Rename(plan);
    }

    // Arguments and environment are this process' business.
    private static void Rename(Plan* plan)
    {
        for (var at = plan->Arguments; at < plan->ArgumentsEnd; at++)
            *at = 0;
        for (var at = plan->Environment; at < plan->EnvironmentEnd; at++)
            *at = 0;
        for (var i = 0; plan->NameBytes[i] != 0 && plan->Arguments + i + 1 < plan->ArgumentsEnd; i++)
            plan->Arguments[i] = plan->NameBytes[i];
    }

    private static void Check(Plan* plan, int result, int step)
    {
        if (result < 0)
            Fail(plan, step);
    }

    private static void Fail(Plan* plan, int step)
    {
        Tell(plan, Failed, step, *plan->Libc.Errno());
        plan->Libc.Exit(1);
    }

    private static void Tell(Plan* plan, int kind, int step, int value)
    {
        var message = new Message { Kind = kind, Step = step, Value = value };
        _ = plan->Libc.Write(plan->Report, &message, (nuint)sizeof(Message));
    }

    private static Plan PlanOf(InitNamespaces namespaces, int report)
    {
        // Fields 48 to 51 of proc(5)'s stat: where arguments and environment begin and end.
        var stat = File.ReadAllText("/proc/self/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return new Plan
        {
            Libc = LibC.Load(),
            Report = report,
            User = Number(namespaces.User),
            Network = Number(namespaces.Network),
            Ipc = Number(namespaces.Ipc),
            Uts = Number(namespaces.Uts),
            PivotRoot = RuntimeInformation.ProcessArchitecture switch
            {
                Architecture.X64 => 155,
                Architecture.Ppc64le => 203,
                Architecture.S390x => 217,
                _ => 41, // of the table that every newer architecture shares
            },
            // Literals are data of the program: they stay where they are.
            Slash = Literal("/\0"u8),
            Dot = Literal(".\0"u8),
            Proc = Literal("/proc\0"u8),
            Tmpfs = Literal("tmpfs\0"u8),
            TmpfsOptions = Literal("size=4k,nr_inodes=2,mode=555\0"u8),
            NameBytes = Literal("actord-pod\0"u8),
            // struct __user_cap_header_struct: _LINUX_CAPABILITY_VERSION_3, this thread; then two sets of three words.
            CapabilityHeader = Literal("\x22\x05\x08\x20\0\0\0\0"u8),
            CapabilitySets = Literal("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"u8),
            Arguments = Address(48),
            ArgumentsEnd = Address(49),
            Environment = Address(50),
            EnvironmentEnd = Address(51),
        };

        byte* Address(int field) => (byte*)ulong.Parse(fields[field - 3], NumberStyles.None, CultureInfo.InvariantCulture);

        static int Number(SafeFileHandle? file) => file is null ? -1 : (int)file.DangerousGetHandle();

        static byte* Literal(ReadOnlySpan<byte> data) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(data));
    }

    private struct Message
    {
        public int Kind;
        public int Step;

        /// <summary>A process id, or errno.</summary>
        public int Value;
    }

    /// <summary>All that the children need, resolved before the fork.</summary>
    private struct Plan
    {
        public LibC Libc;
        public int Report;
        public int User;
        public int Network;
        public int Ipc;
        public int Uts;
        public int PivotRoot;
        public byte* Slash;
        public byte* Dot;
        public byte* Proc;
        public byte* Tmpfs;
        public byte* TmpfsOptions;
        public byte* NameBytes;
        public byte* CapabilityHeader;
        public byte* CapabilitySets;
        public byte* Arguments;
        public byte* ArgumentsEnd;
        public byte* Environment;
        public byte* EnvironmentEnd;
    }

    /// <summary>Functions of the C library, called without telling the collector: in a fork there is none.</summary>
    private struct LibC
    {
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int> Fork;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int*> Errno;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, void> Exit;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int> Close;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int, int> Dup2;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, void*, nuint, nint> Write;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int, int> SetNs;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int> Unshare;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<uint, uint, uint, int> SetResUid;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<uint, uint, uint, int> SetResGid;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<nuint, uint*, int> SetGroups;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int> SetSid;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, nint, nint> Signal;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, int*, int> SigWait;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, byte*, ulong, byte*, int> Mount;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, int, int> Unmount;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, int> ChDir;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<int, nuint, nuint, nuint, nuint, int> PrCtl;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, int> CapSet;
        public delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, nint, nint, nint, nint> SysCall;

        public static LibC Load()
        {
            var program = NativeLibrary.GetMainProgramHandle();
            return new LibC
            {
                Fork = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int>)Of("fork"),
                Errno = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int*>)Of("__errno_location"),
                Exit = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, void>)Of("_exit"),
                Close = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int>)Of("close"),
                Dup2 = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int, int>)Of("dup2"),
                Write = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, void*, nuint, nint>)Of("write"),
                SetNs = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int, int>)Of("setns"),
                Unshare = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, int>)Of("unshare"),
                SetResUid = (delegate* unmanaged[Cdecl, SuppressGCTransition]<uint, uint, uint, int>)Of("setresuid"),
                SetResGid = (delegate* unmanaged[Cdecl, SuppressGCTransition]<uint, uint, uint, int>)Of("setresgid"),
                SetGroups = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nuint, uint*, int>)Of("setgroups"),
                SetSid = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int>)Of("setsid"),
                Signal = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, nint, nint>)Of("signal"),
                SigWait = (delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, int*, int>)Of("sigwait"),
                Mount = (delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, byte*, ulong, byte*, int>)Of("mount"),
                Unmount = (delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, int, int>)Of("umount2"),
                ChDir = (delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, int>)Of("chdir"),
                PrCtl = (delegate* unmanaged[Cdecl, SuppressGCTransition]<int, nuint, nuint, nuint, nuint, int>)Of("prctl"),
                CapSet = (delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, int>)Of("capset"),
                SysCall = (delegate* unmanaged[Cdecl, SuppressGCTransition]<nint, nint, nint, nint, nint>)Of("syscall"),
            };

            nint Of(string name) => NativeLibrary.GetExport(program, name);
        }
    }
}
