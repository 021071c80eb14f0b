using System.Text.Json;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;

namespace Runtime.Cri.Mapping;

/// <summary>Requests as containerd shows them: with the names of the proto file, and numbers for its enums.</summary>
internal static partial class InfoJson
{
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
        json.WriteStartArray("envs");
        foreach (var (key, value) in config.Environment)
        {
            json.WriteStartObject();
            json.WriteString("key", key);
            json.WriteString("value", value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("working_dir", config.WorkingDirectory);
        json.WriteStartArray("mounts");
        foreach (var mount in config.Mounts)
        {
            json.WriteStartObject();
            json.WriteString("container_path", mount.ContainerPath);
            json.WriteString("host_path", mount.HostPath);
            json.WriteBoolean("readonly", mount.Readonly);
            json.WriteBoolean("selinux_relabel", mount.SelinuxRelabel);
            json.WriteNumber("propagation", (int)mount.Propagation);
            if (mount.RecursiveReadonly) json.WriteBoolean("recursive_read_only", true);
            Mappings(json, "uidMappings", mount.UidMappings);
            Mappings(json, "gidMappings", mount.GidMappings);
            if (mount.Image.Length > 0)
            {
                json.WriteStartObject("image");
                json.WriteString("image", mount.Image);
                json.WriteEndObject();
                json.WriteString("image_sub_path", mount.ImageSubPath);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("devices");
        foreach (var device in config.Devices)
        {
            json.WriteStartObject();
            json.WriteString("container_path", device.ContainerPath);
            json.WriteString("host_path", device.HostPath);
            json.WriteString("permissions", device.Permissions);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("CDI_devices");
        foreach (var device in config.CdiDevices)
        {
            json.WriteStartObject();
            json.WriteString("name", device);
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
        Resources(json, "resources", config.Resources);
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
}
