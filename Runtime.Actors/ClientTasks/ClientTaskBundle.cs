using System.Text.Json;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Actors.ClientTasks;

/// <summary>The OCI bundle of a client's task: its spec as it came, and a place for the root file system.</summary>
internal static class ClientTaskBundle
{
    private const uint PassThrough = 0b000_000_001;
    private const uint OwnerAndGroupSearch = 0b111_001_000;

    /// <param name="state">The directory above all bundles that is the daemon's own.</param>
    /// <exception cref="FaultException">InvalidArgument (<c>spec.invalid</c>) for what is no spec.</exception>
    public static void Write(string bundle, string state, ReadOnlyMemory<byte> specJson)
    {
        // Read before anything is made: a spec that is none leaves nothing.
        var group = MappedRootOf(specJson);
        DurableFiles.MakePrivateDirectory(bundle);
        Directory.CreateDirectory(Path.Combine(bundle, "rootfs"));
        if (group is { } mapped) Admit(bundle, state, mapped);
        File.WriteAllBytes(Path.Combine(bundle, "config.json"), specJson.Span);
    }

    /// <summary>The host's group that is root's in the task's user namespace; null where it has none. The rest is the OCI runtime's to judge.</summary>
    private static uint? MappedRootOf(ReadOnlyMemory<byte> specJson)
    {
        try
        {
            using var spec = JsonDocument.Parse(specJson);
            return spec.RootElement.ValueKind != JsonValueKind.Object
                ? throw Invalid("it is no object")
                : spec.RootElement.TryGetProperty("linux", out var linux) && linux.ValueKind == JsonValueKind.Object
                    && linux.TryGetProperty("gidMappings", out var mappings) && mappings is { ValueKind: JsonValueKind.Array }
                    && mappings.GetArrayLength() > 0 && mappings[0].TryGetProperty("hostID", out var host) && host.TryGetUInt32(out var group)
                    ? group
                    : null;
        }
        catch (JsonException malformed)
        {
            throw Invalid(malformed.Message, malformed);
        }
        catch (InvalidOperationException wrongKind)
        {
            throw Invalid(wrongKind.Message, wrongKind);
        }
    }

    private static FaultException Invalid(string why, Exception? cause = null) =>
        new(FaultKind.InvalidArgument, "spec.invalid", $"The container's spec is not one: {why}: invalid argument", cause);

    /// <summary>Lets the mapped root get to the root file system by its path, as <see cref="Containers.MappedRootfs"/> does for pods.</summary>
    private static void Admit(string bundle, string state, uint group)
    {
        for (var above = Path.GetDirectoryName(bundle)!; above.Length >= state.Length; above = Path.GetDirectoryName(above)!)
        {
            var permissions = FileStatus.Of(above).Permissions;
            if ((permissions & PassThrough) == 0) Inodes.ChangeMode(above, permissions | PassThrough);
        }
        Inodes.ChangeOwner(bundle, 0, group);
        Inodes.ChangeMode(bundle, OwnerAndGroupSearch);
    }
}
