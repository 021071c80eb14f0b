using System.Text.Json;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Shim.Bundles;

/// <summary>The few things of a bundle's config.json that a shim needs, read without building a document.</summary>
/// <param name="Group">The pod that the container belongs to; empty for none.</param>
/// <param name="CgroupsPath">As the spec has it; empty for the runtime's default.</param>
/// <param name="HasOwnPids">A new pid namespace: the kernel kills everything in it when the init process ends.</param>
internal sealed record BundleSpec(string Group, string CgroupsPath, bool HasOwnPids)
{
    private const string GroupAnnotation = "io.containerd.runc.v2.group";
    private const string SandboxAnnotation = "io.kubernetes.cri.sandbox-id";
    private const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>Null where the bundle has no config.json.</summary>
    /// <exception cref="FaultException">InvalidArgument, <c>bundle.bad-spec</c>.</exception>
    public static BundleSpec? TryRead(string bundle)
    {
        var path = Path.Combine(bundle, "config.json");
        using var file = Descriptors.TryOpen(path, FileConstants.O_RDONLY);
        if (file is null)
            return null;
        try
        {
            return Parse(Descriptors.ReadToEnd(file, MaxBytes, path));
        }
        catch (JsonException malformed)
        {
            throw new FaultException(FaultKind.InvalidArgument, "bundle.bad-spec", $"{path} is no JSON: {malformed.Message}", malformed);
        }
    }

    public static BundleSpec Parse(ReadOnlySpan<byte> json)
    {
        var (group, sandbox, cgroup, ownPids) = ("", "", "", false);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Disallow });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("The spec is no object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("annotations"u8))
                ReadAnnotations(ref reader, ref group, ref sandbox);
            else if (reader.ValueTextEquals("linux"u8))
                ReadLinux(ref reader, ref cgroup, ref ownPids);
            else
                reader.Skip();
        }
        return new(group.Length > 0 ? group : sandbox, cgroup, ownPids);
    }

    private static void ReadAnnotations(ref Utf8JsonReader reader, ref string group, ref string sandbox)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isGroup = reader.ValueTextEquals(GroupAnnotation);
            var isSandbox = reader.ValueTextEquals(SandboxAnnotation);
            reader.Read();
            if (isGroup)
                group = reader.GetString() ?? "";
            else if (isSandbox)
                sandbox = reader.GetString() ?? "";
            else
                reader.Skip();
        }
    }

    private static void ReadLinux(ref Utf8JsonReader reader, ref string cgroup, ref bool ownPids)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("cgroupsPath"u8))
            {
                reader.Read();
                cgroup = reader.GetString() ?? "";
            }
            else if (reader.ValueTextEquals("namespaces"u8))
            {
                reader.Read();
                ReadNamespaces(ref reader, ref ownPids);
            }
            else
                reader.Skip();
        }
    }

    private static void ReadNamespaces(ref Utf8JsonReader reader, ref bool ownPids)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return;
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var (isPid, hasPath) = (false, false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                var isPath = reader.ValueTextEquals("path"u8);
                reader.Read();
                isPid |= isType && reader.ValueTextEquals("pid"u8);
                hasPath |= isPath && reader.TokenType == JsonTokenType.String && reader.GetString() is { Length: > 0 };
                if (!isType && !isPath)
                    reader.Skip();
            }
            ownPids |= isPid && !hasPath;
        }
    }
}
