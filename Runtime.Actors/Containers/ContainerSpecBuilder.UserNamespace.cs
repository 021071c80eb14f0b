using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>What differs in a pod with a user namespace of its own.</summary>
public static partial class ContainerSpecBuilder
{
    private static OciLinux WithUserNamespace(OciLinux linux, SandboxView sandbox)
    {
        if (sandbox.UserNamespacePath.Length == 0) return linux;
        var security = sandbox.Config.Security;
        return linux with
        {
            Namespaces = [.. linux.Namespaces ?? [], new OciNamespace("user", sandbox.UserNamespacePath)],
            // The namespace has them already: runtimes want to be told all the same.
            UidMappings = MappingsOf(security.UidMappings),
            GidMappings = MappingsOf(security.GidMappings),
        };
    }

    /// <summary>
    /// The kernel lets only the owner of a namespace mount what shows it; what belongs to the host's is bound from the
    /// host instead.
    /// </summary>
    private static OciMount OfHost(OciMount mount, SpecRequest request)
    {
        var sandbox = request.Sandbox;
        if (sandbox.UserNamespacePath.Length == 0) return mount;
        var isHosts = mount.Type switch
        {
            "sysfs" => sandbox.NetworkNamespacePath.Length == 0,
            "mqueue" => sandbox.IpcNamespacePath.Length == 0,
            "proc" => request.Config.Security.Pid == NamespaceMode.Node,
            _ => false,
        };
        return isHosts
            ? mount with { Type = "bind", Source = mount.Destination, Options = ["rbind", "rprivate", .. mount.Options ?? []] }
            : mount;
    }

    // What is mounted of an image has mapped owners already: an overlay takes that from its layers only.
    private static OciMount WithMappings(OciMount mount, ContainerMount asked) =>
        asked.UidMappings.IsEmpty || asked.Image.Length > 0
        ? mount
        : mount with { UidMappings = MappingsOf(asked.UidMappings), GidMappings = MappingsOf(asked.GidMappings) };

    private static IReadOnlyList<OciIdMapping> MappingsOf(ImmutableArray<IdMapping> mappings) =>
        [.. mappings.Select(mapping => new OciIdMapping(mapping.ContainerId, mapping.HostId, mapping.Length))];
}
