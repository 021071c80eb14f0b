using System.Collections.Immutable;
using Containerd.Types;
using Runtime.Linux.Mounts;

namespace Runtime.Api.Services;

/// <summary>Mounts as containerd's messages have them.</summary>
internal static class MountMessages
{
    public static IEnumerable<Mount> Of(ImmutableArray<MountSpec> mounts) => mounts.Select(mount =>
        new Mount { Type = mount.Type, Source = mount.Source, Target = mount.Target, Options = { mount.Options } });

    public static ImmutableArray<MountSpec> Parse(IEnumerable<Mount> mounts) =>
        [.. mounts.Select(mount => new MountSpec(mount.Type, mount.Source, mount.Target, [.. mount.Options]))];
}
