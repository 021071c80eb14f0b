using System.Collections.Immutable;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.Cdi;

namespace Runtime.Actors.Devices;

/// <summary>
/// Devices of the Container Device Interface. The files are read anew for each container that asks for one: they come
/// and go
/// with drivers, and few containers ask.
/// </summary>
/// <param name="directories">Of CDI files; what a later one has comes before the same of an earlier one.</param>
public sealed class CdiRegistry(ImmutableArray<string> directories)
{
    /// <summary>Some drivers write one for each device; beyond that something fills the directory.</summary>
    private const int FilesMax = 4096;

    /// <summary>A file for eight cards with all their libraries has 50 KiB.</summary>
    private const int FileBytesMax = 4 * 1024 * 1024;

    /// <summary>
    /// What a container needs for these devices, in the order in which it is applied: of each file that has any of them
    /// what is
    /// common, then the devices' own.
    /// </summary>
    /// <param name="names"><c>vendor/class=device</c> each.</param>
    /// <exception cref="FaultException">InvalidArgument (<c>cdi.unresolvable</c>), naming every device that is not
    /// there, and why.</exception>
    public ImmutableArray<CdiEdits> Resolve(IEnumerable<string> names)
    {
        var asked = names.Distinct(StringComparer.Ordinal).ToImmutableArray();
        if (asked.IsEmpty) return [];
        var problems = new List<string>();
        var known = ReadAll(problems);
        var edits = ImmutableArray.CreateBuilder<CdiEdits>();
        var applied = new HashSet<CdiSpec>(ReferenceEqualityComparer.Instance);
        var missing = new List<string>();
        foreach (var name in asked)
        {
            if (CdiName.TryParse(name) is not { } parsed || !known.TryGetValue(parsed, out var found) || found.Device is null)
            {
                missing.Add(name);
                continue;
            }
            if (applied.Add(found.Spec) && found.Spec.Edits is { } common) edits.Add(common);
            if (found.Device.Edits is { } own) edits.Add(own);
        }
        return missing.Count == 0
            ? [.. edits.Select(Completed)]
            : throw new FaultException(FaultKind.InvalidArgument, "cdi.unresolvable",
                $"CDI devices {string.Join(", ", missing)} are not resolvable from {string.Join(", ", directories)}."
                + (problems.Count == 0 ? "" : $" {string.Join("; ", problems.Take(5))}"));
    }

    private Dictionary<CdiName, (CdiSpec Spec, CdiDevice? Device)> ReadAll(List<string> problems)
    {
        var known = new Dictionary<CdiName, (CdiSpec, CdiDevice?)>();
        foreach (var directory in directories.Where(Directory.Exists))
        {
            var here = new HashSet<CdiName>();
            foreach (var file in Directory.EnumerateFiles(directory).Where(IsSpec).Order(StringComparer.Ordinal).Take(FilesMax))
            {
                if (TryRead(file, problems) is not { } spec) continue;
                foreach (var device in spec.Devices ?? [])
                {
                    var name = new CdiName(spec.Kind, device.Name);
                    if (here.Add(name))
                    {
                        known[name] = (spec, device);
                        continue;
                    }
                    // Which of the two is meant nobody can know.
                    known[name] = (spec, null);
                    problems.Add($"{file}: device {name} is in another file of the directory too");
                }
            }
        }
        return known;
    }

    private static bool IsSpec(string file) => Path.GetExtension(file) is ".json" or ".yaml" or ".yml";

    // A broken file takes its own devices away, not those of others.
    private static CdiSpec? TryRead(string file, List<string> problems)
    {
        try
        {
            using var handle = Descriptors.TryOpen(file, FileConstants.O_RDONLY | FileConstants.O_NONBLOCK);
            return handle is null ? null : CdiSpecReader.Read(Descriptors.ReadToEnd(handle, FileBytesMax, file), file);
        }
        catch (FaultException broken)
        {
            problems.Add(broken.Message);
            return null;
        }
    }

    /// <summary>Type and numbers of a node that does not say them are the host device's.</summary>
    private static CdiEdits Completed(CdiEdits edits) => edits.DeviceNodes is not { } nodes ? edits : edits with
    {
        DeviceNodes = [.. nodes.Select(Completed)],
    };

    private static CdiDeviceNode Completed(CdiDeviceNode node)
    {
        if (node.Type is "p" || (node.Type is { Length: > 0 } && node.Major is not null && node.Minor is not null)) return node;
        var path = node.HostPath is { Length: > 0 } host ? host : node.Path;
        var status = FileStatus.TryOf(path, follow: true)
            ?? throw new FaultException(FaultKind.InvalidArgument, "cdi.no-device", $"The device {path} of a CDI file does not exist.");
        var type = (status.Mode & FileConstants.S_IFMT) switch
        {
            FileConstants.S_IFCHR => "c",
            FileConstants.S_IFBLK => "b",
            FileConstants.S_IFIFO => "p",
            _ => throw new FaultException(FaultKind.InvalidArgument, "cdi.no-device", $"{path}, of a CDI file, is no device."),
        };
        if (node.Type is { Length: > 0 } said && said != type && said != "u")
            throw new FaultException(FaultKind.InvalidArgument, "cdi.no-device", $"{path} is a device of type {type}; its CDI file says {said}.");
        return node with
        {
            Type = type,
            Major = type == "p" ? null : status.DeviceMajor,
            Minor = type == "p" ? null : status.DeviceMinor,
            FileMode = node.FileMode ?? status.Permissions,
        };
    }
}
