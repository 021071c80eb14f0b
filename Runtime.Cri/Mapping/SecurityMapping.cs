using System.Collections.Immutable;
using Google.Protobuf.Collections;
using Runtime.Actors.Sandboxes;

namespace Runtime.Cri.Mapping;

/// <summary>Security contexts of sandboxes and containers, from CRI and back.</summary>
internal static class SecurityMapping
{
    private const string LocalhostPrefix = "localhost/";

    public static SecurityOptions FromWire(V1.LinuxSandboxSecurityContext? context)
    {
        const string Field = "config.linux.security_context";
        if (context is null) return new SecurityOptions();
        if (context.RunAsGroup is not null && context.RunAsUser is null) throw GroupWithoutUser(Field);
        var namespaces = context.NamespaceOptions ?? new V1.NamespaceOption();
        CheckSandboxModes(namespaces, Field + ".namespace_options");
        return WithUserNamespace(namespaces, Field + ".namespace_options") with
        {
            Selinux = FromWire(context.SelinuxOptions),
            RunAsUser = IdOf(context.RunAsUser, Field + ".run_as_user"),
            RunAsGroup = IdOf(context.RunAsGroup, Field + ".run_as_group"),
            SupplementalGroups = GroupsOf(context.SupplementalGroups, Field),
            GroupsPolicy = PolicyOf(context.SupplementalGroupsPolicy, Field),
            Privileged = context.Privileged,
            ReadonlyRootfs = context.ReadonlyRootfs,
            Seccomp = ProfileOf(context.Seccomp, DeprecatedSeccomp(context), Field + ".seccomp"),
            Apparmor = ProfileOf(context.Apparmor, "", Field + ".apparmor"),
        };
    }

    public static SecurityOptions FromWire(V1.LinuxContainerSecurityContext? context)
    {
        const string Field = "config.linux.security_context";
        if (context is null) return new SecurityOptions();
        if (context.RunAsGroup is not null && context.RunAsUser is null && context.RunAsUsername.Length == 0)
            throw GroupWithoutUser(Field);
        var namespaces = context.NamespaceOptions ?? new V1.NamespaceOption();
        if (namespaces.Pid == V1.NamespaceMode.Target)
            RequestCheck.Id(namespaces.TargetId, Field + ".namespace_options.target_id");
        return WithUserNamespace(namespaces, Field + ".namespace_options") with
        {
            Selinux = FromWire(context.SelinuxOptions),
            RunAsUser = IdOf(context.RunAsUser, Field + ".run_as_user"),
            RunAsGroup = IdOf(context.RunAsGroup, Field + ".run_as_group"),
            RunAsUserName = RequestCheck.OneLine(context.RunAsUsername, Field + ".run_as_username"),
            SupplementalGroups = GroupsOf(context.SupplementalGroups, Field),
            GroupsPolicy = PolicyOf(context.SupplementalGroupsPolicy, Field),
            Privileged = context.Privileged,
            ReadonlyRootfs = context.ReadonlyRootfs,
            Seccomp = ProfileOf(context.Seccomp, DeprecatedSeccomp(context), Field + ".seccomp"),
            Apparmor = ProfileOf(context.Apparmor, DeprecatedApparmor(context), Field + ".apparmor"),
            NoNewPrivileges = context.NoNewPrivs,
            CapabilitiesAdd = CapabilitiesOf(context.Capabilities?.AddCapabilities, Field),
            CapabilitiesDrop = CapabilitiesOf(context.Capabilities?.DropCapabilities, Field),
            CapabilitiesAmbient = CapabilitiesOf(context.Capabilities?.AddAmbientCapabilities, Field),
            MaskedPaths = [.. context.MaskedPaths.Select(path => RequestCheck.AbsolutePath(path, Field + ".masked_paths"))],
            ReadonlyPaths = [.. context.ReadonlyPaths.Select(path => RequestCheck.AbsolutePath(path, Field + ".readonly_paths"))],
        };
    }

    public static V1.NamespaceOption NamespacesToWire(SecurityOptions security)
    {
        var options = new V1.NamespaceOption
        {
            Network = (V1.NamespaceMode)security.Network,
            Pid = (V1.NamespaceMode)security.Pid,
            Ipc = (V1.NamespaceMode)security.Ipc,
            TargetId = security.TargetId,
        };
        if (security.User is not { } user) return options;
        options.UsernsOptions = new V1.UserNamespace { Mode = (V1.NamespaceMode)user };
        options.UsernsOptions.Uids.AddRange(security.UidMappings.Select(ToWire));
        options.UsernsOptions.Gids.AddRange(security.GidMappings.Select(ToWire));
        return options;
    }

    public static IdMapping FromWire(V1.IDMapping mapping) => new(mapping.HostId, mapping.ContainerId, mapping.Length);

    public static V1.IDMapping ToWire(IdMapping mapping) =>
        new() { HostId = mapping.HostId, ContainerId = mapping.ContainerId, Length = mapping.Length };

    private static void CheckSandboxModes(V1.NamespaceOption options, string field)
    {
        if (options.Network is not (V1.NamespaceMode.Pod or V1.NamespaceMode.Node))
            throw RequestCheck.Invalid(field + ".network", options.Network.ToString(), "must be POD or NODE");
        if (options.Ipc is not (V1.NamespaceMode.Pod or V1.NamespaceMode.Node))
            throw RequestCheck.Invalid(field + ".ipc", options.Ipc.ToString(), "must be POD or NODE");
        if (options.Pid is not (V1.NamespaceMode.Pod or V1.NamespaceMode.Container or V1.NamespaceMode.Node))
            throw RequestCheck.Invalid(field + ".pid", options.Pid.ToString(), "must be POD, CONTAINER or NODE");
    }

    private static SecurityOptions WithUserNamespace(V1.NamespaceOption options, string field)
    {
        var security = new SecurityOptions
        {
            Network = ModeOf(options.Network, field + ".network"),
            Pid = ModeOf(options.Pid, field + ".pid"),
            Ipc = ModeOf(options.Ipc, field + ".ipc"),
            TargetId = options.TargetId,
        };
        if (options.UsernsOptions is not { } user) return security;
        CheckUserNamespace(user, field + ".userns_options");
        return security with
        {
            User = ModeOf(user.Mode, field + ".userns_options.mode"),
            UidMappings = [.. user.Uids.Select(FromWire)],
            GidMappings = [.. user.Gids.Select(FromWire)],
        };
    }

    // Kubernetes gives a pod one range of ids that starts at container id 0: more could not be shared by its containers.
    private static void CheckUserNamespace(V1.UserNamespace user, string field)
    {
        switch (user.Mode)
        {
            case V1.NamespaceMode.Node when user.Uids.Count + user.Gids.Count == 0:
                return;
            case V1.NamespaceMode.Node:
                throw RequestCheck.Invalid(field, "NODE", "must not have mappings");
            case V1.NamespaceMode.Pod:
                CheckMapping(user.Uids, field + ".uids");
                CheckMapping(user.Gids, field + ".gids");
                return;
            default:
                throw RequestCheck.Invalid(field + ".mode", user.Mode.ToString(), "must be POD or NODE");
        }
    }

    private static void CheckMapping(RepeatedField<V1.IDMapping> mappings, string field)
    {
        if (mappings is not [{ } only])
            throw RequestCheck.Invalid(field, $"{mappings.Count} mappings", "must be exactly one mapping");
        if (only.ContainerId != 0) throw RequestCheck.Invalid(field, $"{only.ContainerId}", "must map container id 0");
        if (only.Length == 0) throw RequestCheck.Invalid(field, "0", "must have a length");
        if ((ulong)only.HostId + only.Length > uint.MaxValue)
            throw RequestCheck.Invalid(field, $"{only.HostId}+{only.Length}", "goes beyond the largest id");
    }

    private static NamespaceMode ModeOf(V1.NamespaceMode mode, string field) => mode switch
    {
        V1.NamespaceMode.Pod => NamespaceMode.Pod,
        V1.NamespaceMode.Container => NamespaceMode.Container,
        V1.NamespaceMode.Node => NamespaceMode.Node,
        V1.NamespaceMode.Target => NamespaceMode.Target,
        _ => throw RequestCheck.UnknownEnum(mode, field),
    };

    private static SupplementalGroupsPolicy PolicyOf(V1.SupplementalGroupsPolicy policy, string field) => policy switch
    {
        V1.SupplementalGroupsPolicy.Merge => SupplementalGroupsPolicy.Merge,
        V1.SupplementalGroupsPolicy.Strict => SupplementalGroupsPolicy.Strict,
        _ => throw RequestCheck.UnknownEnum(policy, field + ".supplemental_groups_policy"),
    };

    private static SelinuxOptions? FromWire(V1.SELinuxOption? options) =>
        options is null ? null : new(
            RequestCheck.OneLine(options.User, "selinux_options.user"), RequestCheck.OneLine(options.Role, "selinux_options.role"),
            RequestCheck.OneLine(options.Type, "selinux_options.type"), RequestCheck.OneLine(options.Level, "selinux_options.level"));

    // 4294967295 is (uid_t)-1, which means "leave as it is" to the kernel.
    private static long? IdOf(V1.Int64Value? id, string field) =>
        id is null ? null : RequestCheck.InRange(id.Value, 0, uint.MaxValue - 1L, field);

    private static ImmutableArray<long> GroupsOf(RepeatedField<long> groups, string field) =>
        [.. groups.Select(group => RequestCheck.InRange(group, 0, uint.MaxValue - 1L, field + ".supplemental_groups"))];

    private static ImmutableArray<string> CapabilitiesOf(RepeatedField<string>? names, string field) =>
        names is null ? [] : [.. names.Select(name => RequestCheck.NotEmpty(name, field + ".capabilities"))];

    private static SecurityProfile? ProfileOf(V1.SecurityProfile? profile, string deprecated, string field)
    {
        if (profile is null) return FromDeprecated(deprecated, field);
        return profile.ProfileType switch
        {
            V1.SecurityProfile.Types.ProfileType.RuntimeDefault => new(SecurityProfileKind.RuntimeDefault, ""),
            V1.SecurityProfile.Types.ProfileType.Unconfined => new(SecurityProfileKind.Unconfined, ""),
            V1.SecurityProfile.Types.ProfileType.Localhost =>
                new(SecurityProfileKind.Localhost, RequestCheck.NotEmpty(profile.LocalhostRef, field + ".localhost_ref")),
            _ => throw RequestCheck.UnknownEnum(profile.ProfileType, field + ".profile_type"),
        };
    }

    // Profiles as strings, from before SecurityProfile; crictl's files still have them.
    private static SecurityProfile? FromDeprecated(string profile, string field) => profile switch
    {
        "" => null,
        "unconfined" => new(SecurityProfileKind.Unconfined, ""),
        "runtime/default" or "docker/default" => new(SecurityProfileKind.RuntimeDefault, ""),
        _ when profile.StartsWith(LocalhostPrefix, StringComparison.Ordinal) && profile.Length > LocalhostPrefix.Length =>
            new(SecurityProfileKind.Localhost, RequestCheck.OneLine(profile[LocalhostPrefix.Length..], field)),
        _ => throw RequestCheck.Invalid(field, profile, "must be runtime/default, unconfined or localhost/NAME"),
    };

    private static string DeprecatedSeccomp(V1.LinuxSandboxSecurityContext context) => context.SeccompProfilePath;

    private static string DeprecatedSeccomp(V1.LinuxContainerSecurityContext context) => context.SeccompProfilePath;

    private static string DeprecatedApparmor(V1.LinuxContainerSecurityContext context) => context.ApparmorProfile;

    private static Runtime.Faults.FaultException GroupWithoutUser(string field) =>
        RequestCheck.Invalid(field + ".run_as_group", "", "needs run_as_user");
}
