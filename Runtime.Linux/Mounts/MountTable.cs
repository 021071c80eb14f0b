using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Mounts;

/// <summary>The mounts of a mount namespace, in the order of mounting, as one snapshot.</summary>
public sealed class MountTable
{
    private const int MaxBytes = 64 * 1024 * 1024; // Some 300,000 mounts; the kernel's default limit (fs.mount-max) is 100,000.

    private MountTable(ImmutableArray<MountEntry> entries) => Entries = entries;

    public ImmutableArray<MountEntry> Entries { get; }

    /// <summary>Of this process.</summary>
    public static MountTable Read() => Read("/proc/self/mountinfo");

    /// <summary>Of the process that a <c>/proc/PID/mountinfo</c> file belongs to.</summary>
    public static MountTable Read(string mountInfo)
    {
        using var file = Descriptors.Open(mountInfo, FileConstants.O_RDONLY);
        return Parse(Encoding.UTF8.GetString(Descriptors.ReadToEnd(file, MaxBytes, mountInfo)));
    }

    /// <exception cref="FaultException">DataLoss <c>mount.malformed-table</c></exception>
    public static MountTable Parse(string text)
    {
        var entries = ImmutableArray.CreateBuilder<MountEntry>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (!line.IsEmpty)
                entries.Add(ParseLine(line.ToString()));
        }
        return new(entries.DrainToImmutable());
    }

    /// <summary>What is mounted on top at exactly this path; null for nothing. Symlinks in the path are not resolved.</summary>
    public MountEntry? Find(string mountPoint)
    {
        var path = Normal(mountPoint);
        return Entries.LastOrDefault(entry => entry.MountPoint == path);
    }

    public bool IsMountPoint(string path) => Find(path) is not null;

    /// <summary>Everything mounted at or below a directory, in the order of mounting.</summary>
    public IEnumerable<MountEntry> Under(string directory)
    {
        var path = Normal(directory);
        var prefix = path == "/" ? path : path + "/";
        return Entries.Where(entry => entry.MountPoint == path || entry.MountPoint.StartsWith(prefix, StringComparison.Ordinal));
    }

    /// <summary>The mount that a path lies in: the deepest mount point above it.</summary>
    public MountEntry? Containing(string path)
    {
        for (var at = Normal(path); ; at = Path.GetDirectoryName(at)!)
        {
            if (Find(at) is { } found)
                return found;
            if (at == "/")
                return null;
        }
    }

    /// <summary>
    /// <c>36 35 98:0 /root /point rw,noatime shared:1 master:2 - ext3 /dev/root rw</c>: id, parent, device, root, mount point,
    /// options, any number of tags, a dash, type, source, super options. Blanks and backslashes are \ooo.
    /// </summary>
    private static MountEntry ParseLine(string line)
    {
        var parts = line.Split(' ');
        var dash = Array.IndexOf(parts, "-", Math.Min(6, parts.Length));
        if (dash < 0 || parts.Length < dash + 4
            || !int.TryParse(parts[0], CultureInfo.InvariantCulture, out var id)
            || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out var parent))
            throw new FaultException(FaultKind.DataLoss, "mount.malformed-table", $"Not a line of mountinfo: {RawName.Shown(line)}");
        var tags = parts.AsSpan(6, dash - 6);
        return new(
            id, parent, parts[2], Unescaped(parts[3]), Unescaped(parts[4]), parts[5], Tag(tags, "shared:"), Tag(tags, "master:"),
            tags.Contains("unbindable"), Unescaped(parts[dash + 1]), Unescaped(parts[dash + 2]), Unescaped(parts[dash + 3]));
    }

    private static int Tag(ReadOnlySpan<string> tags, string name)
    {
        foreach (var tag in tags)
        {
            if (tag.StartsWith(name, StringComparison.Ordinal)
                && int.TryParse(tag.AsSpan(name.Length), CultureInfo.InvariantCulture, out var group))
                return group;
        }
        return 0;
    }

    private static string Unescaped(string text)
    {
        if (!text.Contains('\\'))
            return text;
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                bytes.Add((byte)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                var width = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, width)));
                i += width - 1;
            }
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static string Normal(string path)
    {
        var full = Path.GetFullPath(path);
        return full.Length > 1 ? full.TrimEnd('/') : full;
    }
}
