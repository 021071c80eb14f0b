using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Cgroups;

/// <summary>Reads and writes the control files of one cgroup directory. A file that is missing reads as null.</summary>
public static class CgroupFile
{
    /// <summary>A key and its value of a line <c>key value</c>.</summary>
    public delegate void KeyedValue<TState>(ReadOnlySpan<byte> key, ulong value, ref TState state);

    /// <summary>Sized for cgroup.procs of 100,000 processes; memory.stat has some 3 KiB.</summary>
    private const int MaxBytes = 1024 * 1024;

    public static void Write(string directory, string file, string value)
    {
        var path = Path.Combine(directory, file);
        using var handle = Descriptors.Open(path, FileConstants.O_WRONLY);
        Descriptors.Write(handle, Encoding.UTF8.GetBytes(value), path);
    }

    /// <summary>A single number; null also for <c>max</c>, and for v1's numbers that stand for unlimited.</summary>
    public static ulong? ReadNumber(string directory, string file)
    {
        Span<byte> buffer = stackalloc byte[64];
        var count = ReadSmall(directory, file, buffer);
        return count > 0 && Utf8Parser.TryParse(buffer[..count], out ulong value, out _) && value < V1Unlimited ? value : null;
    }

    /// <summary>The trimmed text of a small file.</summary>
    public static string? ReadText(string directory, string file)
    {
        Span<byte> buffer = stackalloc byte[4096];
        var count = ReadSmall(directory, file, buffer);
        return count < 0 ? null : Encoding.UTF8.GetString(buffer[..count]).Trim();
    }

    /// <summary>The text of a file with a line per device or so; what is beyond 64 KiB is left out.</summary>
    public static string? ReadLongText(string directory, string file)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            var count = ReadSmall(directory, file, buffer);
            return count < 0 ? null : Encoding.UTF8.GetString(buffer, 0, count);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Calls <paramref name="take"/> for every line <c>key value</c>: memory.stat, cpu.stat, memory.events.</summary>
    /// <returns>Whether the file is there.</returns>
    public static bool ReadKeyed<TState>(string directory, string file, ref TState state, KeyedValue<TState> take)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            var count = ReadSmall(directory, file, buffer);
            if (count < 0)
                return false;
            for (var rest = (ReadOnlySpan<byte>)buffer.AsSpan(0, count); !rest.IsEmpty;)
            {
                var end = rest.IndexOf((byte)'\n');
                var line = end < 0 ? rest : rest[..end];
                rest = end < 0 ? default : rest[(end + 1)..];
                var blank = line.IndexOf((byte)' ');
                if (blank > 0 && Utf8Parser.TryParse(line[(blank + 1)..], out ulong value, out _))
                    take(line[..blank], value, ref state);
            }
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The process ids of cgroup.procs or cgroup.threads, appended to <paramref name="into"/>.</summary>
    internal static void ReadPids(string directory, string file, List<int> into)
    {
        var path = Path.Combine(directory, file);
        using var handle = Descriptors.TryOpen(path, FileConstants.O_RDONLY);
        if (handle is null)
            return;
        for (var rest = (ReadOnlySpan<byte>)ReadAll(handle, path); !rest.IsEmpty;)
        {
            if (!Utf8Parser.TryParse(rest, out int pid, out var used))
                throw new FaultException(FaultKind.DataLoss, "cgroup.malformed", $"{path} has a line that is no process id.");
            into.Add(pid);
            rest = rest[Math.Min(rest.Length, used + 1)..];
        }
    }

    /// <summary>v1 has no word for unlimited: memory shows 2^63 - 1 rounded down to a page.</summary>
    private const ulong V1Unlimited = 0x7FFF_FFFF_FFFF_0000;

    /// <summary>-1 where the file, or the whole cgroup, is missing.</summary>
    private static int ReadSmall(string directory, string file, Span<byte> into)
    {
        var path = Path.Combine(directory, file);
        using var handle = Descriptors.TryOpen(path, FileConstants.O_RDONLY);
        if (handle is null)
            return -1;
        try
        {
            for (var length = 0; ;)
            {
                var count = Descriptors.Read(handle, into[length..], path);
                if (count == 0)
                    return length;
                length += count;
            }
        }
        catch (FaultException gone) when (Vanished(gone))
        {
            return -1;
        }
    }

    private static byte[] ReadAll(Microsoft.Win32.SafeHandles.SafeFileHandle handle, string path)
    {
        try
        {
            return Descriptors.ReadToEnd(handle, MaxBytes, path);
        }
        catch (FaultException gone) when (Vanished(gone))
        {
            return [];
        }
    }

    /// <summary>A control file that was opened before its cgroup was removed fails with ENODEV.</summary>
    private static bool Vanished(FaultException fault) => fault.Fault is { Kind: FaultKind.NotFound, Code: "linux.read" };
}
