using System.Collections.Immutable;
using Runtime.Oci.Cdi;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>What CDI devices change in a spec. Applied last: a driver knows what its device needs.</summary>
public static partial class ContainerSpecBuilder
{
    /// <summary>Beginning of the annotations that name CDI devices, separated by commas.</summary>
    internal const string CdiAnnotations = "cdi.k8s.io/";

    /// <summary>Every CDI device that a container asks for, by its field and by annotations.</summary>
    internal static IEnumerable<string> CdiDevicesOf(ContainerConfig config) =>
        config.CdiDevices.Concat(config.Annotations
        .Where(one => one.Key.StartsWith(CdiAnnotations, StringComparison.Ordinal))
        .SelectMany(one => one.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));

    private static OciSpec WithCdi(OciSpec spec, ImmutableArray<CdiEdits> edits) => edits.Aggregate(spec, With);

    private static OciSpec With(OciSpec spec, CdiEdits edits)
    {
        var (process, linux) = (spec.Process!, spec.Linux!);
        var nodes = edits.DeviceNodes ?? [];
        return spec with
        {
            Process = process with
            {
                Env = [.. (process.Env ?? []).Where(entry => !IsSetBy(edits, entry)), .. edits.Environment ?? []],
                User = edits.AdditionalGids is { Count: > 0 } gids && process.User is { } user
                    ? user with { AdditionalGids = [.. (user.AdditionalGids ?? []).Concat(gids.Where(gid => gid != 0)).Distinct()] }
                    : process.User,
            },
            Mounts =
            [
                .. (spec.Mounts ?? []).Where(mount => !(edits.Mounts ?? []).Any(other => Clean(other.ContainerPath) == Clean(mount.Destination))),
                .. (edits.Mounts ?? []).OrderBy(mount => Depth(mount.ContainerPath)).Select(MountOf),
            ],
            Hooks = (edits.Hooks ?? []).Aggregate(spec.Hooks, With),
            Linux = linux with
            {
                Devices =
                [
                    .. (linux.Devices ?? []).Where(device => !nodes.Any(node => node.Path == device.Path)),
                    .. nodes.Select(node => DeviceOf(node, process.User)),
                ],
                Resources = (linux.Resources ?? new OciResources()) with
                {
                    Devices =
                    [
                        .. linux.Resources?.Devices ?? [],
                        .. nodes.Where(node => node.Type is "b" or "c").Select(node => new OciDeviceRule(
                            true, node.Type, node.Major, node.Minor, node.Permissions is { Length: > 0 } some ? some : "rwm")),
                    ],
                },
                IntelRdt = edits.IntelRdt ?? linux.IntelRdt,
            },
        };
    }

    private static bool IsSetBy(CdiEdits edits, string entry) =>
        (edits.Environment ?? []).Any(set => entry.StartsWith(set[..(set.IndexOf('=') + 1)], StringComparison.Ordinal));

    private static OciMount MountOf(CdiMount mount) => new()
    {
        Destination = mount.ContainerPath,
        Source = mount.HostPath,
        Type = mount.Type is { Length: > 0 } type ? type : "bind",
        Options = mount.Options is { Count: > 0 } options ? options : ["rbind", "rprivate", "ro"],
    };

    // Who runs in the container is to use the device, unless the driver says whose it is.
    private static OciDevice DeviceOf(CdiDeviceNode node, OciUser? user) => new()
    {
        Path = node.Path,
        Type = node.Type ?? "c",
        Major = node.Major,
        Minor = node.Minor,
        FileMode = node.FileMode,
        Uid = node.Uid ?? (user is { Uid: > 0 } ? user.Uid : null),
        Gid = node.Gid ?? (user is { Gid: > 0 } ? user.Gid : null),
    };

    private static OciHooks With(OciHooks? hooks, CdiHook hook)
    {
        var (start, added) = (hooks ?? new OciHooks(), new OciHook(hook.Path, hook.Args, hook.Environment, hook.Timeout));
        return hook.Name switch
        {
            "prestart" => start with { Prestart = [.. start.Prestart ?? [], added] },
            "createRuntime" => start with { CreateRuntime = [.. start.CreateRuntime ?? [], added] },
            "createContainer" => start with { CreateContainer = [.. start.CreateContainer ?? [], added] },
            "startContainer" => start with { StartContainer = [.. start.StartContainer ?? [], added] },
            "poststart" => start with { Poststart = [.. start.Poststart ?? [], added] },
            "poststop" => start with { Poststop = [.. start.Poststop ?? [], added] },
            _ => throw new System.Diagnostics.UnreachableException($"The reader lets no hook {hook.Name} through."),
        };
    }
}
