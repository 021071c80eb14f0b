using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

public static partial class ContainerSpecBuilder
{
    /// <summary>What Docker and containerd grant by default.</summary>
    private static readonly ImmutableArray<string> DefaultCapabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    /// <summary>
    /// ALL is applied first, drops before adds: dropping ALL and adding one leaves that one. Ambient ones are granted too.
    /// </summary>
    private static OciCapabilities CapabilitiesOf(SecurityOptions security, HostFacts host)
    {
        var ambient = security.CapabilitiesAmbient.Select(Named).Distinct().ToList();
        if (ambient.Remove("CAP_ALL")) ambient = [.. host.Capabilities];
        if (security.Privileged) return Granting(With([.. host.Capabilities], ambient), ambient);
        var drops = security.CapabilitiesDrop.Select(Named).ToHashSet();
        var adds = security.CapabilitiesAdd.Select(Named).ToList();
        var (dropsAll, addsAll) = (drops.Remove("CAP_ALL"), adds.Contains("CAP_ALL"));
        var start = addsAll ? host.Capabilities : dropsAll ? [] : DefaultCapabilities;
        var granted = start.Where(name => !drops.Contains(name)).ToList();
        return Granting(With(With(granted, adds), ambient), ambient);

        List<string> With(List<string> names, IEnumerable<string> more)
        {
            foreach (var name in more)
            {
                if (name == "CAP_ALL" || names.Contains(name)) continue;
                if (!host.Capabilities.Contains(name))
                    throw Refuse("container.unknown-capability", $"Capability {name} is not known to this kernel.");
                names.Add(name);
            }
            return names;
        }

        static string Named(string name)
        {
            var upper = name.ToUpperInvariant();
            return upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper : $"CAP_{upper}";
        }

        // Inheritable stays empty: it would survive an execve of a file with capabilities (CVE-2022-24769). Only where
        // ambient ones are asked for it cannot be: the kernel takes these from it (capabilities(7)).
        static OciCapabilities Granting(IReadOnlyList<string> names, IReadOnlyList<string> ambient) => new()
        {
            Bounding = names,
            Effective = names,
            Permitted = names,
            Inheritable = ambient.Count > 0 ? ambient : null,
            Ambient = ambient.Count > 0 ? ambient : null,
        };
    }

    private static OciSeccomp? SeccompOf(SpecRequest request)
    {
        var security = request.Config.Security;
        if (security.Privileged) return null;
        return security.Seccomp switch
        {
            null or { Kind: SecurityProfileKind.Unconfined } => null,
            { Kind: SecurityProfileKind.RuntimeDefault } =>
                DefaultSeccomp.For([.. CapabilitiesOf(security, request.Host).Bounding ?? []], request.Host.Machine),
            { Kind: SecurityProfileKind.Localhost } => Usable(request.Facts.Seccomp, request),
            var other => throw Refuse("container.invalid-seccomp", $"Seccomp profile kind {other.Kind} is not known."),
        };
    }

    private static OciSeccomp Usable(OciSeccomp? profile, SpecRequest request)
    {
        if (profile is null)
            throw Refuse("container.invalid-seccomp", $"Container {request.Config.Name}: its seccomp profile was not read.");
        // A notifying filter waits for an agent that nobody here is: the first such call would hang.
        if (profile.DefaultAction == OciSeccomp.Notify || profile.Syscalls?.Any(rule => rule.Action == OciSeccomp.Notify) == true)
            throw Refuse("container.seccomp-notify", $"Container {request.Config.Name}: its seccomp profile has {OciSeccomp.Notify}, which is not supported.");
        return profile;
    }

    private static string? ApparmorOf(SpecRequest request)
    {
        var (security, host) = (request.Config.Security, request.Host);
        if (security.Privileged || security.Apparmor is null or { Kind: SecurityProfileKind.Unconfined }) return null;
        if (security.Apparmor.Kind == SecurityProfileKind.RuntimeDefault && !host.Apparmor) return null;
        if (!host.Apparmor)
            throw new FaultException(FaultKind.FailedPrecondition, "container.no-apparmor",
                $"Container {request.Config.Name}: AppArmor profile \"{security.Apparmor.LocalhostRef}\" is asked for, but this kernel has no AppArmor.");
        var name = security.Apparmor.Kind == SecurityProfileKind.RuntimeDefault ? ApparmorDefault.Name : security.Apparmor.LocalhostRef;
        if (name.StartsWith("localhost/", StringComparison.Ordinal)) name = name["localhost/".Length..];
        return host.ApparmorProfiles.Contains(name)
            ? name
            : throw new FaultException(FaultKind.FailedPrecondition, "container.apparmor-not-loaded",
                $"Container {request.Config.Name}: AppArmor profile \"{name}\" is not loaded.");
    }
}
