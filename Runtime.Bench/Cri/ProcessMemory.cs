using System.Globalization;

namespace Runtime.Bench.Cri;

internal sealed record ProcessEntry(int Pid, int ParentPid, string CommandLine);

/// <summary>Reads what /proc says about memory: PSS counts a shared page by its share, so that sums are true.</summary>
internal static class ProcessMemory
{
    public static IEnumerable<ProcessEntry> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid)) continue;
            var line = CommandLine(pid);
            if (line.Length > 0) yield return new ProcessEntry(pid, ParentOf(pid), line);
        }
    }

    /// <summary>Arguments joined by spaces; empty when the process is gone or a kernel thread.</summary>
    public static string CommandLine(int pid) =>
        Read($"/proc/{pid}/cmdline").TrimEnd('\0').Replace('\0', ' ');

    /// <summary>Bytes; 0 when the process is gone.</summary>
    public static long Pss(int pid)
    {
        foreach (var line in Read($"/proc/{pid}/smaps_rollup").Split('\n'))
        {
            if (!line.StartsWith("Pss:", StringComparison.Ordinal)) continue;
            return long.Parse(line.AsSpan(4, line.Length - 6).Trim(), CultureInfo.InvariantCulture) * 1024;
        }
        return 0;
    }

    private static int ParentOf(int pid)
    {
        var stat = Read($"/proc/{pid}/stat");
        var rest = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return rest.Length > 1 ? int.Parse(rest[1], CultureInfo.InvariantCulture) : 0;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return ""; // the process ended while we looked
        }
    }
}
