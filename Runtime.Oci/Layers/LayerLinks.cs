using Microsoft.Win32.SafeHandles;
using Runtime.Linux;
using Runtime.Linux.Files;

namespace Runtime.Oci.Layers;

/// <summary>Reads symlinks.</summary>
internal static unsafe class LayerLinks
{
    /// <summary>PATH_MAX: no symlink is longer.</summary>
    private const int TargetMax = 4096;

    /// <param name="name">With its NUL; empty but for the NUL: the symlink that <paramref name="at"/> itself is (O_PATH).</param>
    public static byte[] TargetOf(SafeFileHandle at, ReadOnlySpan<byte> name)
    {
        var target = stackalloc byte[TargetMax];
        fixed (byte* raw = name)
        {
            var length = FileCalls.readlinkat(at, raw, target, TargetMax);
            return length >= 0 ? new ReadOnlySpan<byte>(target, (int)length).ToArray() : throw Errno.Fault("readlinkat", LayerFault.Shown(name));
        }
    }
}
