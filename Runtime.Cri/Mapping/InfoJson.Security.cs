using System.Text.Json;
using Runtime.Actors.Sandboxes;

namespace Runtime.Cri.Mapping;

internal static partial class InfoJson
{
    private static void Security(Utf8JsonWriter json, SecurityOptions security)
    {
        json.WriteStartObject("security_context");
        json.WriteStartObject("namespace_options");
        json.WriteNumber("network", (int)security.Network);
        json.WriteNumber("pid", (int)security.Pid);
        json.WriteNumber("ipc", (int)security.Ipc);
        if (security.TargetId.Length > 0) json.WriteString("target_id", security.TargetId);
        if (security.User is { } user)
        {
            json.WriteStartObject("userns_options");
            json.WriteNumber("mode", (int)user);
            Mappings(json, "uids", security.UidMappings);
            Mappings(json, "gids", security.GidMappings);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        if (security.Selinux is { } selinux)
        {
            json.WriteStartObject("selinux_options");
            json.WriteString("user", selinux.User);
            json.WriteString("role", selinux.Role);
            json.WriteString("type", selinux.Type);
            json.WriteString("level", selinux.Level);
            json.WriteEndObject();
        }
        Number(json, "run_as_user", security.RunAsUser);
        Number(json, "run_as_group", security.RunAsGroup);
        if (security.RunAsUserName.Length > 0) json.WriteString("run_as_username", security.RunAsUserName);
        json.WriteStartArray("supplemental_groups");
        foreach (var group in security.SupplementalGroups) json.WriteNumberValue(group);
        json.WriteEndArray();
        json.WriteNumber("supplemental_groups_policy", (int)security.GroupsPolicy);
        json.WriteBoolean("privileged", security.Privileged);
        json.WriteBoolean("readonly_rootfs", security.ReadonlyRootfs);
        json.WriteBoolean("no_new_privs", security.NoNewPrivileges);
        json.WriteStartObject("capabilities");
        Strings(json, "add_capabilities", security.CapabilitiesAdd);
        Strings(json, "drop_capabilities", security.CapabilitiesDrop);
        Strings(json, "add_ambient_capabilities", security.CapabilitiesAmbient);
        json.WriteEndObject();
        Profile(json, "seccomp", security.Seccomp);
        Profile(json, "apparmor", security.Apparmor);
        Strings(json, "masked_paths", security.MaskedPaths);
        Strings(json, "readonly_paths", security.ReadonlyPaths);
        json.WriteEndObject();
    }

    private static void Profile(Utf8JsonWriter json, string name, SecurityProfile? profile)
    {
        if (profile is null) return;
        json.WriteStartObject(name);
        json.WriteNumber("profile_type", (int)profile.Kind);
        if (profile.LocalhostRef.Length > 0) json.WriteString("localhost_ref", profile.LocalhostRef);
        json.WriteEndObject();
    }

    private static void Mappings(Utf8JsonWriter json, string name, IReadOnlyList<IdMapping> mappings)
    {
        if (mappings.Count == 0) return;
        json.WriteStartArray(name);
        foreach (var mapping in mappings)
        {
            json.WriteStartObject();
            json.WriteNumber("host_id", mapping.HostId);
            json.WriteNumber("container_id", mapping.ContainerId);
            json.WriteNumber("length", mapping.Length);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    // CRI's Int64Value: a message, so that 0 is not the same as nothing.
    private static void Number(Utf8JsonWriter json, string name, long? value)
    {
        if (value is not { } number) return;
        json.WriteStartObject(name);
        json.WriteNumber("value", number);
        json.WriteEndObject();
    }
}
