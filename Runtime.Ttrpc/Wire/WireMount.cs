using System.Collections.Immutable;
using Runtime.Linux.Mounts;

namespace Runtime.Ttrpc.Wire;

/// <summary>containerd.types.Mount, as <see cref="MountSpec"/>.</summary>
public static class WireMount
{
    public static void Mounts(this WireWriter writer, int field, ImmutableArray<MountSpec> mounts)
    {
        foreach (var mount in mounts.IsDefault ? [] : mounts)
        {
            var start = writer.Begin(field);
            writer.String(1, mount.Type);
            writer.String(2, mount.Source);
            writer.String(3, mount.Target);
            foreach (var option in mount.Options)
                writer.StringAlways(4, option);
            writer.End(start);
        }
    }

    public static MountSpec Mount(this ref WireReader reader)
    {
        var (type, source, target) = ("", "", "");
        var options = ImmutableArray.CreateBuilder<string>();
        var mount = reader.Nested();
        while (mount.Next(out var field))
        {
            switch (field)
            {
                case 1: type = mount.String(); break;
                case 2: source = mount.String(); break;
                case 3: target = mount.String(); break;
                case 4: options.Add(mount.String()); break;
                default: mount.Skip(); break;
            }
        }
        return new(type, source, target, options.DrainToImmutable());
    }
}
