using System.Text;
using Runtime.Faults;

namespace Runtime.Linux.Files;

/// <summary>A path or name as the kernel takes it: bytes that end with NUL.</summary>
internal static class RawName
{
    /// <summary>PATH_MAX, with its NUL.</summary>
    public const int MaxPath = 4096;

    public static byte[] Of(string path)
    {
        if (path.Contains('\0'))
            throw new FaultException(FaultKind.InvalidArgument, "path.has-nul", $"The path {Shown(path)} contains a NUL character.");
        var bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }

    public static string Shown(ReadOnlySpan<byte> name) => Shown(Encoding.UTF8.GetString(name.TrimEnd((byte)0)));

    /// <summary>For messages: control characters replaced, never longer than 300 characters.</summary>
    public static string Shown(string name)
    {
        var shown = name.Length > 300 ? string.Concat(name.AsSpan(0, 300), "...") : name;
        return shown.Any(char.IsControl) ? string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c)) : shown;
    }
}
