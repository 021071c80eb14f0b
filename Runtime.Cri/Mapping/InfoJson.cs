using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Runtime.Actors.Containers;
using Runtime.Actors.Images;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;

namespace Runtime.Cri.Mapping;

/// <summary>The JSON that verbose status calls carry under <c>info</c>, with the keys that scripts around crictl read.</summary>
internal static class InfoJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string OfSandbox(SandboxView view, RuntimeHandler? handler, byte[]? specJson) => Write(json =>
    {
        json.WriteNumber("pid", view.Pid);
        json.WriteString("processStatus", view.Phase == SandboxPhase.Ready ? "running" : "deleted");
        json.WriteBoolean("netNamespaceClosed", view.NetworkNamespacePath.Length == 0);
        json.WriteString("runtimeHandler", view.Config.RuntimeHandler);
        Runtime(json, handler);
        json.WritePropertyName("config");
        Config(json, view.Config);
        if (view.CgroupPath.Length > 0) json.WriteString("cgroupPath", view.CgroupPath);
        Raw(json, "runtimeSpec", specJson);
        Raw(json, "cniResult", view.CniResult.Length > 0 ? Encoding.UTF8.GetBytes(view.CniResult) : null);
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
        if (handler.Options.BinaryName.Length > 0) json.WriteString("binary_name", handler.Options.BinaryName);
        if (handler.Options.Root.Length > 0) json.WriteString("root", handler.Options.Root);
        if (handler.Options.SystemdCgroup) json.WriteBoolean("systemd_cgroup", true);
        json.WriteEndObject();
    }

    private static void Config(Utf8JsonWriter json, SandboxConfig config)
    {
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteString("name", config.Name);
        json.WriteString("uid", config.Uid);
        json.WriteString("namespace", config.PodNamespace);
        json.WriteNumber("attempt", config.Attempt);
        json.WriteEndObject();
        json.WriteString("hostname", config.Hostname);
        json.WriteString("log_directory", config.LogDirectory);
        if (config.Dns is { } dns)
        {
            json.WriteStartObject("dns_config");
            Strings(json, "servers", dns.Servers);
            Strings(json, "searches", dns.Searches);
            Strings(json, "options", dns.Options);
            json.WriteEndObject();
        }
        json.WriteStartArray("port_mappings");
        foreach (var mapping in config.PortMappings)
        {
            json.WriteStartObject();
            json.WriteNumber("protocol", (int)mapping.Protocol);
            json.WriteNumber("container_port", mapping.ContainerPort);
            json.WriteNumber("host_port", mapping.HostPort);
            json.WriteString("host_ip", mapping.HostIp);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Map(json, "labels", config.Labels);
        Map(json, "annotations", config.Annotations);
        json.WriteStartObject("linux");
        json.WriteString("cgroup_parent", config.CgroupParent);
        Map(json, "sysctls", config.Sysctls);
        Resources(json, "overhead", config.Overhead);
        Resources(json, "resources", config.Resources);
        Security(json, config.Security);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // The environment is left out: it often holds secrets, and the runtime spec shows it to who may read that.
    private static void Config(Utf8JsonWriter json, ContainerConfig config)
    {
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteString("name", config.Name);
        json.WriteNumber("attempt", config.Attempt);
        json.WriteEndObject();
        json.WriteStartObject("image");
        json.WriteString("image", config.Image);
        json.WriteString("user_specified_image", config.UserSpecifiedImage);
        json.WriteEndObject();
        Strings(json, "command", config.Command);
        Strings(json, "args", config.Args);
        json.WriteString("working_dir", config.WorkingDirectory);
        json.WriteStartArray("mounts");
        foreach (var mount in config.Mounts)
        {
            json.WriteStartObject();
            json.WriteString("container_path", mount.ContainerPath);
            json.WriteString("host_path", mount.HostPath);
            json.WriteBoolean("readonly", mount.Readonly);
            json.WriteNumber("propagation", (int)mount.Propagation);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Map(json, "labels", config.Labels);
        Map(json, "annotations", config.Annotations);
        json.WriteString("log_path", config.LogPath);
        json.WriteBoolean("stdin", config.Stdin);
        json.WriteBoolean("stdin_once", config.StdinOnce);
        json.WriteBoolean("tty", config.Tty);
        json.WriteStartObject("linux");
        Security(json, config.Security);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Resources(Utf8JsonWriter json, string name, ContainerResources? resources)
    {
        if (resources is null) return;
        json.WriteStartObject(name);
        Number("cpu_period", resources.CpuPeriod);
        Number("cpu_quota", resources.CpuQuota);
        Number("cpu_shares", resources.CpuShares);
        Number("memory_limit_in_bytes", resources.MemoryLimit);
        Number("oom_score_adj", resources.OomScoreAdjust);
        if (resources.CpusetCpus.Length > 0) json.WriteString("cpuset_cpus", resources.CpusetCpus);
        if (resources.CpusetMems.Length > 0) json.WriteString("cpuset_mems", resources.CpusetMems);
        if (!resources.HugepageLimits.IsEmpty)
        {
            json.WriteStartArray("hugepage_limits");
            foreach (var (size, limit) in resources.HugepageLimits)
            {
                json.WriteStartObject();
                json.WriteString("page_size", size);
                json.WriteNumber("limit", limit);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        if (!resources.Unified.IsEmpty) Map(json, "unified", resources.Unified);
        Number("memory_swap_limit_in_bytes", resources.MemorySwapLimit);
        json.WriteEndObject();

        void Number(string key, long value)
        {
            if (value != 0) json.WriteNumber(key, value);
        }
    }

    private static void Security(Utf8JsonWriter json, SecurityOptions security)
    {
        json.WriteStartObject("security_context");
        json.WriteStartObject("namespace_options");
        json.WriteNumber("network", (int)security.Network);
        json.WriteNumber("pid", (int)security.Pid);
        json.WriteNumber("ipc", (int)security.Ipc);
        json.WriteEndObject();
        json.WriteBoolean("privileged", security.Privileged);
        json.WriteBoolean("readonly_rootfs", security.ReadonlyRootfs);
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
