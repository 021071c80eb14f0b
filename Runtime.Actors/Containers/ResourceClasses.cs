using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>
/// Classes of block I/O and of Intel's resource director (RDT), which annotations name. A node offers those of block I/O by
/// <c>blockio_config_file</c>, and none of RDT: a container that wants what is not offered is refused, unless the
/// configuration says to run it without.
/// </summary>
internal static class ResourceClasses
{
    /// <exception cref="FaultException">FailedPrecondition (<c>container.no-class</c>).</exception>
    public static void Check(ContainerConfig config, SandboxView sandbox, ContainerPolicy policy)
    {
        if (policy.BlockIo is { } offered)
        {
            if (ClassOf("blockio", config, sandbox.Config.Annotations) is { Length: > 0 } name && !offered.Names.Contains(name))
                throw Refused($"container {config.Name} asks for blockio class \"{name}\", but there are {string.Join(", ", offered.Names)}.");
        }
        else if (!policy.IgnoreBlockIoClasses)
        {
            Refuse("blockio", "blockio", "ignore_blockio_not_enabled_errors");
        }
        if (!policy.IgnoreRdtClasses) Refuse("rdt", "RDT", "ignore_rdt_not_enabled_errors");

        void Refuse(string kind, string shown, string key)
        {
            if (ClassOf(kind, config, sandbox.Config.Annotations) is { Length: > 0 } name)
                throw Refused($"{shown} disabled, refusing to set {shown} class of container \"{config.Name}\" to \"{name}\"; {key} runs it without.");
        }
    }

    /// <summary>What the container's class means now; null for none.</summary>
    public static OciBlockIo? BlockIoOf(ContainerConfig config, SandboxView sandbox, ContainerPolicy policy) =>
        policy.BlockIo is { } offered && ClassOf("blockio", config, sandbox.Config.Annotations) is { Length: > 0 } name
            ? offered.Find(name) ?? throw Refused($"container {config.Name} asks for blockio class \"{name}\", which is not offered any more.")
            : null;

    /// <summary>The container's own annotation, then the pod's for this container, then the pod's for all.</summary>
    internal static string ClassOf(string kind, ContainerConfig config, ImmutableSortedDictionary<string, string> pod) =>
        config.Annotations.GetValueOrDefault($"io.kubernetes.cri.{kind}-class")
        ?? pod.GetValueOrDefault($"{kind}.resources.beta.kubernetes.io/container.{config.Name}")
        ?? pod.GetValueOrDefault($"{kind}.resources.beta.kubernetes.io/pod")
        ?? "";

    private static FaultException Refused(string message) => new(FaultKind.FailedPrecondition, "container.no-class", message);
}
