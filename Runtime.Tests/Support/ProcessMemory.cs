using System.Globalization;

namespace Runtime.Tests.Support;

/// <summary>Of a process; proportional is without what it shares with others.</summary>
public sealed record ProcessMemory(long RssKiB, long PssKiB)
{
    public static ProcessMemory Of(int pid)
    {
        var lines = File.ReadAllLines($"/proc/{pid}/smaps_rollup");
        return new ProcessMemory(Value("Rss:"), Value("Pss:"));

        long Value(string name)
        {
            var line = lines.Single(one => one.StartsWith(name, StringComparison.Ordinal));
            return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        }
    }

    public static ProcessMemory Larger(ProcessMemory one, ProcessMemory two) => two.PssKiB > one.PssKiB ? two : one;
}
