using System.Runtime.InteropServices;
using Runtime.Faults;

namespace Runtime.Linux;

/// <summary>Turns the errno of a failed call into a fault. Read it at once: any other call may overwrite it.</summary>
public static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int EMFILE = 24;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int EPIPE = 32;
    public const int ERANGE = 34;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int EOPNOTSUPP = 95;
    public const int ETIMEDOUT = 110;
    public const int EDQUOT = 122;

    /// <summary>errno as the last P/Invoke with SetLastError left it.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>A fault for the last error of <paramref name="syscall"/>, to be thrown.</summary>
    public static FaultException Fault(string syscall, string? path = null) => Fault(Last, syscall, path);

    public static FaultException Fault(int errno, string syscall, string? path = null) => new(
        KindOf(errno),
        $"linux.{syscall}",
        path is null
            ? $"{syscall}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})"
            : $"{syscall} {path}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})");

    public static FaultKind KindOf(int errno) => errno switch
    {
        ENOENT or ESRCH or ENODEV => FaultKind.NotFound,
        EEXIST => FaultKind.AlreadyExists,
        EPERM or EACCES or EROFS => FaultKind.PermissionDenied,
        EINVAL or ENOTDIR or EISDIR or ENAMETOOLONG or ELOOP => FaultKind.InvalidArgument,
        ENOSPC or EDQUOT or ENOMEM or EMFILE or EFBIG => FaultKind.ResourceExhausted,
        EBUSY or ENOTEMPTY or EXDEV => FaultKind.FailedPrecondition,
        ENOSYS or EOPNOTSUPP => FaultKind.Unimplemented,
        EAGAIN => FaultKind.Unavailable,
        ETIMEDOUT => FaultKind.DeadlineExceeded,
        _ => FaultKind.Unknown,
    };
}
