using Runtime.Actors.Sandboxes;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>SELinux labels of a container: nothing where it is off, or the kernel has none.</summary>
public static partial class ContainerSpecBuilder
{
    private const string PrivilegedType = "spc_t"; // "super privileged container" of the container-selinux policy

    private static OciSpec WithSelinux(OciSpec spec, SpecRequest request)
    {
        if (!request.Host.Selinux) return spec;
        var own = request.Config.Security.Selinux;
        var pods = request.Sandbox.Config.Security.Selinux;
        var level = own is { Level.Length: > 0 } ? own.Level : request.Sandbox.SelinuxLevel is { Length: > 0 } given ? given : "s0";
        var type = request.Config.Security.Privileged ? PrivilegedType : Said(options => options.Type, "container_t");
        return spec with
        {
            Process = spec.Process! with
            {
                SelinuxLabel = $"{Said(options => options.User, "system_u")}:{Said(options => options.Role, "system_r")}:{type}:{level}",
            },
            Linux = spec.Linux! with { MountLabel = $"system_u:object_r:container_file_t:{level}" },
        };

        // The container's word, then the pod's, then the policy's own names.
        string Said(Func<SelinuxOptions, string> part, string fallback) =>
            own is not null && part(own) is { Length: > 0 } first ? first
            : pods is not null && part(pods) is { Length: > 0 } second ? second
            : fallback;
    }
}
