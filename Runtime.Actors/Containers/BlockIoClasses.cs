using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.BlockIo;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>The node's classes of block I/O. Disks are looked for anew for each container: they come and go.</summary>
/// <param name="classes">Of <c>blockio_config_file</c>.</param>
/// <param name="sysfs">Where the kernel tells partitions from disks.</param>
public sealed class BlockIoClasses(ImmutableSortedDictionary<string, ImmutableArray<BlockIoRule>> classes, string sysfs = "/sys")
{
    public IEnumerable<string> Names => classes.Keys;

    /// <exception cref="FaultException">InvalidArgument: it is no file of classes.</exception>
    public static BlockIoClasses Load(string file)
    {
        try
        {
            return new BlockIoClasses(BlockIoConfig.Parse(File.ReadAllBytes(file), file));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.InvalidArgument, "blockio.invalid-config", $"{file} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    /// <summary>Null where there is no such class. A later rule for the same disk counts.</summary>
    public OciBlockIo? Find(string name)
    {
        if (!classes.TryGetValue(name, out var rules)) return null;
        return new OciBlockIo
        {
            Weight = (ushort?)rules.LastOrDefault(rule => rule.Devices.IsEmpty)?.Weight,
            WeightDevice = Each(rule => rule.Weight, (disk, weight) => new OciWeightDevice(disk.Major, disk.Minor, (ushort)weight)),
            ThrottleReadBpsDevice = Each(rule => rule.ReadBps, Throttle),
            ThrottleWriteBpsDevice = Each(rule => rule.WriteBps, Throttle),
            ThrottleReadIopsDevice = Each(rule => rule.ReadIops, Throttle),
            ThrottleWriteIopsDevice = Each(rule => rule.WriteIops, Throttle),
        };

        List<T>? Each<T>(Func<BlockIoRule, long?> value, Func<(uint Major, uint Minor), long, T> make)
        {
            var found = new SortedDictionary<(uint, uint), long>();
            foreach (var rule in rules)
                if (value(rule) is { } number)
                    foreach (var disk in rule.Devices.SelectMany(Disks)) found[disk] = number;
            return found.Count == 0 ? null : [.. found.Select(one => make(one.Key, one.Value))];
        }

        static OciThrottleDevice Throttle((uint Major, uint Minor) disk, long rate) => new(disk.Major, disk.Minor, (ulong)rate);
    }

    // Limits are a disk's, and the kernel refuses them for a partition: only a disk has a queue.
    private IEnumerable<(uint Major, uint Minor)> Disks(string glob) =>
        from path in Matching(glob)
        let status = FileStatus.TryOf(path, follow: true)
        where status is { } node && (node.Mode & FileConstants.S_IFMT) == FileConstants.S_IFBLK
            && Directory.Exists($"{sysfs}/dev/block/{node.DeviceMajor}:{node.DeviceMinor}/queue")
        select (status.Value.DeviceMajor, status.Value.DeviceMinor);

    private static IEnumerable<string> Matching(string glob) => glob.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(
        (IEnumerable<string>)["/"],
        (above, part) => part.AsSpan().IndexOfAny("*?[") < 0
            ? above.Select(directory => Path.Combine(directory, part))
            : above.Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries)
                .Where(entry => SpecAnnotations.Matches(part, Path.GetFileName(entry))));
}
