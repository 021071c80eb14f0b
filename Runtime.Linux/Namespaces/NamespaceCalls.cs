using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Namespaces;

internal static unsafe partial class NamespaceCalls
{
    public const int CLONE_FS = 0x200;
    public const int AF_NETLINK = 16;
    public const int SOCK_RAW = 3;
    public const int SOCK_CLOEXEC = 0x80000;
    public const uint NS_GET_USERNS = 0xb701;

    /// <summary>clone(3): <paramref name="function"/> is C code that takes one argument and answers an int.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int clone(nint function, byte* stackTop, int flags, nint argument);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setns(SafeFileHandle file, int kind);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sethostname(byte* name, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(SafeFileHandle socket, byte* message, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recv(SafeFileHandle socket, byte* message, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(SafeFileHandle file, nuint request);
}
