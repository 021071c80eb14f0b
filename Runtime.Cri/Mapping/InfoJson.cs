using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Runtime.Actors.Containers;
using Runtime.Actors.Images;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;

namespace Runtime.Cri.Mapping;

/// <summary>The JSON that verbose status calls carry under <c>info</c>, with the keys that scripts around crictl read.</summary>
internal static partial class InfoJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="image">The sandbox image, as configured.</param>
    public static string OfSandbox(SandboxView view, RuntimeHandler? handler, string image, byte[]? specJson) => Write(json =>
    {
        json.WriteNumber("pid", view.Pid);
        json.WriteString("processStatus", view.Phase == SandboxPhase.Ready ? "running" : "deleted");
        json.WriteBoolean("netNamespaceClosed", view.NetworkNamespacePath.Length == 0);
        json.WriteString("image", image);
        json.WriteString("snapshotKey", view.PauseSnapshotter.Length > 0 ? view.Id : "");
        json.WriteString("snapshotter", view.PauseSnapshotter);
        json.WriteString("runtimeHandler", view.Config.RuntimeHandler);
        Runtime(json, handler);
        json.WritePropertyName("config");
        Config(json, view.Config);
        if (view.CgroupPath.Length > 0) json.WriteString("cgroupPath", view.CgroupPath);
        Raw(json, "runtimeSpec", specJson);
        if (view.CniResult.Length > 0)
        {
            json.WritePropertyName("cniResult");
            CniResultJson.Write(json, view.CniResult, view.NetworkNamespacePath);
        }
        Metadata(json, view);
    });

    public static string OfContainer(ContainerView view, RuntimeHandler? handler, byte[]? specJson) => Write(json =>
    {
        json.WriteString("sandboxID", view.SandboxId);
        json.WriteNumber("pid", view.Pid);
        json.WriteBoolean("removing", view.Phase == ContainerPhase.Removing);
        json.WriteString("snapshotKey", view.SnapshotKey);
        json.WriteString("snapshotter", view.Snapshotter);
        Runtime(json, handler);
        json.WritePropertyName("config");
        Config(json, view.Config);
        Raw(json, "runtimeSpec", specJson);
    });

    /// <param name="configJson">The image's config; null when it was removed from the content store.</param>
    public static string OfImage(ImageSummary image, byte[]? configJson) => Write(json =>
    {
        json.WriteString("chainID", image.ChainId);
        json.WriteString("snapshotter", image.Snapshotter);
        Raw(json, "imageSpec", configJson);
    });

    /// <summary>The configuration's JSON object with what we add; what the configuration says itself stays.</summary>
    public static string WithDefaults(string configJson, IEnumerable<KeyValuePair<string, string>> defaults)
    {
        using var config = JsonDocument.Parse(configJson);
        return Write(json =>
        {
            foreach (var (key, value) in defaults)
                if (!config.RootElement.TryGetProperty(key, out _)) json.WriteString(key, value);
            foreach (var property in config.RootElement.EnumerateObject()) property.WriteTo(json);
        });
    }

    private static void Runtime(Utf8JsonWriter json, RuntimeHandler? handler)
    {
        if (handler is null) return;
        json.WriteString("runtimeType", handler.RuntimeType);
        json.WriteStartObject("runtimeOptions");
        if (handler.Options.NoPivotRoot) json.WriteBoolean("no_pivot_root", true);
        if (handler.Options.NoNewKeyring) json.WriteBoolean("no_new_keyring", true);
        if (handler.Options.ShimCgroup.Length > 0) json.WriteString("shim_cgroup", handler.Options.ShimCgroup);
        if (handler.Options.IoUid != 0) json.WriteNumber("io_uid", handler.Options.IoUid);
        if (handler.Options.IoGid != 0) json.WriteNumber("io_gid", handler.Options.IoGid);
        if (handler.Options.BinaryName.Length > 0) json.WriteString("binary_name", handler.Options.BinaryName);
        if (handler.Options.Root.Length > 0) json.WriteString("root", handler.Options.Root);
        if (handler.Options.SystemdCgroup) json.WriteBoolean("systemd_cgroup", true);
        json.WriteEndObject();
    }

    // containerd's record of a sandbox, in the wrapping that it stores it in.
    private static void Metadata(Utf8JsonWriter json, SandboxView view)
    {
        var config = view.Config;
        json.WriteStartObject("sandboxMetadata");
        json.WriteString("Version", "v1");
        json.WriteStartObject("Metadata");
        json.WriteString("ID", view.Id);
        json.WriteString("Name", $"{config.Name}_{config.PodNamespace}_{config.Uid}_{config.Attempt}");
        json.WriteString("NetNSPath", view.NetworkNamespacePath);
        json.WriteString("IP", view.Ips.FirstOrDefault(""));
        Strings(json, "AdditionalIPs", view.Ips.Skip(1));
        json.WriteString("RuntimeHandler", config.RuntimeHandler);
        json.WriteString("ProcessLabel", "");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void Map(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, string>> values)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in values) json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static void Raw(Utf8JsonWriter json, string name, byte[]? value)
    {
        if (value is null) return;
        json.WritePropertyName(name);
        json.WriteRawValue(value);
    }

    private static string Write(Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
