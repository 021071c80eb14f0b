using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;

namespace Runtime.Actors.Containers;

/// <summary>Ids in a pod, and what they are on the host.</summary>
internal static class PodUsers
{
    /// <summary>
    /// What a container says of user namespaces must be what its pod has; one that says nothing takes that.
    /// </summary>
    /// <exception cref="FaultException">InvalidArgument, FailedPrecondition.</exception>
    public static void Check(ContainerConfig config, SandboxView sandbox, bool mapsMounts)
    {
        var (asked, pods) = (config.Security, sandbox.Config.Security);
        if (asked.User is NamespaceMode.Container or NamespaceMode.Target)
            throw Refuse("container.invalid-user-namespace",
                $"Container {config.Name}: its user namespace is the pod's (POD) or the node's (NODE).");
        var same = asked.User is null ? asked.UidMappings.IsEmpty && asked.GidMappings.IsEmpty
            : (asked.User == NamespaceMode.Pod) == (pods.User == NamespaceMode.Pod)
                && asked.UidMappings.SequenceEqual(pods.UidMappings) && asked.GidMappings.SequenceEqual(pods.GidMappings);
        if (!same)
            throw Refuse("container.other-user-namespace",
                $"Container {config.Name}: its user namespace and mappings differ from those of sandbox {sandbox.Id}.");
        foreach (var mount in config.Mounts.Where(mount => !mount.UidMappings.IsEmpty || !mount.GidMappings.IsEmpty))
        {
            if (mount.UidMappings.IsEmpty || mount.GidMappings.IsEmpty)
                throw Refuse("container.invalid-idmap",
                    $"Container {config.Name}: the mount at {mount.ContainerPath} needs mappings of both users and groups.");
            if (!mapsMounts && mount.Image.Length == 0)
                throw new FaultException(FaultKind.FailedPrecondition, "container.no-idmap",
                    $"Container {config.Name}: the mount at {mount.ContainerPath} must be id-mapped, which the OCI runtime of handler {sandbox.RuntimeHandler} or this kernel cannot do.");
        }
    }

    /// <summary>
    /// An id that the pod does not map cannot be set by the kernel: better said at create than by a failing start.
    /// </summary>
    /// <exception cref="FaultException">InvalidArgument (<c>container.unmapped-id</c>).</exception>
    public static void Check(ContainerUser user, ContainerPlan plan, SandboxView sandbox)
    {
        if (sandbox.UserNamespacePath.Length == 0) return;
        Check(user.Uid, sandbox.Config.Security.UidMappings, "user");
        foreach (var group in user.Groups.Prepend(user.Gid)) Check(group, sandbox.Config.Security.GidMappings, "group");

        void Check(long id, ImmutableArray<IdMapping> mappings, string what)
        {
            if (!mappings.Any(mapping => id >= mapping.ContainerId && id - mapping.ContainerId < mapping.Length))
                throw Refuse("container.unmapped-id",
                    $"Container {plan.Config.Name}: {what} {id} is not among those that its pod's user namespace maps.");
        }
    }

    public static Func<uint, uint> HostUid(SandboxView sandbox) => OnHost(sandbox, sandbox.Config.Security.UidMappings);

    public static Func<uint, uint> HostGid(SandboxView sandbox) => OnHost(sandbox, sandbox.Config.Security.GidMappings);

    // What is not mapped stays as it is, and shows as nobody's.
    private static Func<uint, uint> OnHost(SandboxView sandbox, ImmutableArray<IdMapping> mappings) =>
        sandbox.UserNamespacePath.Length == 0
            ? id => id
            : id => mappings.FirstOrDefault(each => id >= each.ContainerId && id - each.ContainerId < each.Length) is { } mapping
                ? mapping.HostId + (id - mapping.ContainerId)
                : id;

    private static FaultException Refuse(string code, string message) => new(FaultKind.InvalidArgument, code, message);
}
