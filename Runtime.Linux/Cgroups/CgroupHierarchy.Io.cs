using System.Collections.Immutable;
using System.Globalization;
using Runtime.Faults;

namespace Runtime.Linux.Cgroups;

public sealed partial class CgroupHierarchy
{
    /// <summary>v2's io.stat. v1: what went through blk-throttle, which counts on every kernel without a limit being set.</summary>
    private ImmutableArray<IoStatistics> ReadIo(string path)
    {
        if (TryDirectoryOf(path, IsV2 ? "io" : "blkio") is not { } directory)
            return [];
        return IsV2
            ? ReadIoV2(CgroupFile.ReadLongText(directory, "io.stat"))
            : ReadIoV1(
                CgroupFile.ReadLongText(directory, "blkio.throttle.io_service_bytes_recursive"),
                CgroupFile.ReadLongText(directory, "blkio.throttle.io_serviced_recursive"));
    }

    /// <summary>Lines <c>8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0</c>.</summary>
    private static ImmutableArray<IoStatistics> ReadIoV2(string? text)
    {
        var devices = ImmutableArray.CreateBuilder<IoStatistics>();
        foreach (var words in Lines(text))
        {
            if (!TryDevice(words[0], out var device))
                continue;
            foreach (var word in words.AsSpan(1))
            {
                var equals = word.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0 || !ulong.TryParse(word.AsSpan(equals + 1), CultureInfo.InvariantCulture, out var value))
                    continue;
                device = word.AsSpan(0, equals) switch
                {
                    "rbytes" => device with { ReadBytes = value },
                    "wbytes" => device with { WrittenBytes = value },
                    "rios" => device with { Reads = value },
                    "wios" => device with { Writes = value },
                    _ => device,
                };
            }
            devices.Add(device);
        }
        return devices.DrainToImmutable();
    }

    /// <summary>Lines <c>8:16 Read 1</c>, in one file of bytes and one of requests; a line <c>Total</c> ends each.</summary>
    private static ImmutableArray<IoStatistics> ReadIoV1(string? bytes, string? requests)
    {
        var devices = new SortedDictionary<(uint, uint), IoStatistics>();
        foreach (var (text, isBytes) in new[] { (bytes, true), (requests, false) })
        {
            foreach (var words in Lines(text))
            {
                if (words is not [var name, var operation, var number] || !TryDevice(name, out var fresh)
                    || !ulong.TryParse(number, CultureInfo.InvariantCulture, out var value))
                    continue;
                var device = devices.GetValueOrDefault((fresh.Major, fresh.Minor), fresh);
                devices[(fresh.Major, fresh.Minor)] = (operation, isBytes) switch
                {
                    ("Read", true) => device with { ReadBytes = value },
                    ("Write", true) => device with { WrittenBytes = value },
                    ("Read", false) => device with { Reads = value },
                    ("Write", false) => device with { Writes = value },
                    _ => device,
                };
            }
        }
        return [.. devices.Values];
    }

    /// <summary>Lines <c>some avg10=0.00 avg60=0.00 avg300=0.00 total=0</c> and the same with <c>full</c>.</summary>
    /// <remarks>A hybrid machine has these files in the v2 hierarchy, where runc puts containers too.</remarks>
    private PressureStatistics? ReadPressure(string path, string file)
    {
        if (UnifiedRoot is not { } root || ReadPressureText(Path.Combine([root, .. Parts(path)]), file) is not { } text)
            return null;
        var pressure = default(PressureStatistics);
        foreach (var words in Lines(text))
        {
            if (words[0] == "some")
                pressure = pressure with { Some = ReadShare(words) };
            else if (words[0] == "full")
                pressure = pressure with { Full = ReadShare(words) };
        }
        return pressure;
    }

    private static string? ReadPressureText(string directory, string file)
    {
        try
        {
            return CgroupFile.ReadLongText(directory, file);
        }
        catch (FaultException off) when (off.Fault.Kind is FaultKind.Unimplemented)
        {
            return null; // EOPNOTSUPP: psi=0 on the kernel's command line, or cgroup.pressure is 0
        }
    }

    private static PressureShare ReadShare(string[] words)
    {
        var share = default(PressureShare);
        foreach (var word in words.AsSpan(1))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !double.TryParse(word.AsSpan(equals + 1), CultureInfo.InvariantCulture, out var value))
                continue;
            share = word.AsSpan(0, equals) switch
            {
                "avg10" => share with { Average10 = value },
                "avg60" => share with { Average60 = value },
                "avg300" => share with { Average300 = value },
                "total" => share with { TotalMicroseconds = (ulong)value },
                _ => share,
            };
        }
        return share;
    }

    private static IEnumerable<string[]> Lines(string? text) => (text ?? "").Split('\n')
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length > 1);

    private static bool TryDevice(string name, out IoStatistics device)
    {
        device = default;
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !uint.TryParse(name.AsSpan(0, colon), CultureInfo.InvariantCulture, out var major)
            || !uint.TryParse(name.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var minor))
            return false;
        device = new IoStatistics(major, minor, 0, 0, 0, 0);
        return true;
    }
}
