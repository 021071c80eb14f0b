using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;

namespace Runtime.Actors.Containers;

/// <summary>
/// Classes of block I/O and of Intel's resource director, which annotations name. A node offers them by a file of
/// classes; here
/// there is none, so a container that wants a class is refused, unless the configuration says to run it without.
/// </summary>
internal static class ResourceClasses
{
    /// <exception cref="FaultException">FailedPrecondition (<c>container.no-class</c>).</exception>
    public static void Check(ContainerConfig config, SandboxView sandbox, ContainerPolicy policy)
    {
        if (!policy.IgnoreBlockIoClasses) Refuse("blockio", "ignore_blockio_not_enabled_errors");
        if (!policy.IgnoreRdtClasses) Refuse("rdt", "ignore_rdt_not_enabled_errors");

        void Refuse(string kind, string key)
        {
            if (ClassOf(kind, config, sandbox.Config.Annotations) is { Length: > 0 } name)
                throw new FaultException(FaultKind.FailedPrecondition, "container.no-class",
                    $"Container {config.Name}: {kind} class \"{name}\" is asked for, but {kind} is not enabled on this node; {key} runs it without.");
        }
    }

    /// <summary>The container's own annotation, then the pod's for this container, then the pod's for all.</summary>
    internal static string ClassOf(string kind, ContainerConfig config, ImmutableSortedDictionary<string, string> pod) =>
        config.Annotations.GetValueOrDefault($"io.kubernetes.cri.{kind}-class")
        ?? pod.GetValueOrDefault($"{kind}.resources.beta.kubernetes.io/container.{config.Name}")
        ?? pod.GetValueOrDefault($"{kind}.resources.beta.kubernetes.io/pod")
        ?? "";
}
