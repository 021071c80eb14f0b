using System.Security.Cryptography;
using Runtime.Actors;
using Runtime.Actors.Containers;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.Mapping;
using Runtime.Faults;

namespace Runtime.Cri;

/// <summary>Finds what the ids of requests mean: crictl sends the first characters of an id wherever it can.</summary>
internal sealed class CriIds(RuntimeDomain domain)
{
    /// <summary>Hex digits of an id; cAdvisor recognises containers by that length.</summary>
    private const int Length = 64;

    public static string New() => RandomNumberGenerator.GetHexString(Length, lowercase: true);

    /// <summary>The sandbox of an id or a unique start of one; null when CRI does not show one.</summary>
    /// <exception cref="FaultException">InvalidArgument when it is no id, or not unique.</exception>
    public SandboxView? FindSandbox(string id) =>
        Find(domain.Sandboxes.In(NamespaceName.Kubernetes), RequestCheck.Id(id, "pod_sandbox_id"), SandboxMapping.IsListed);

    /// <summary>The container of an id or a unique start of one; null when CRI does not show one.</summary>
    /// <exception cref="FaultException">InvalidArgument when it is no id, or not unique.</exception>
    public ContainerView? FindContainer(string id) =>
        Find(domain.Containers.In(NamespaceName.Kubernetes), RequestCheck.Id(id, "container_id"), ContainerMapping.IsListed);

    /// <exception cref="FaultException">NotFound; InvalidArgument as <see cref="FindSandbox"/>.</exception>
    public SandboxView Sandbox(string id) => FindSandbox(id)
        ?? throw new FaultException(FaultKind.NotFound, "sandbox.not-found", $"There is no sandbox \"{id}\".");

    /// <exception cref="FaultException">NotFound; InvalidArgument as <see cref="FindContainer"/>.</exception>
    public ContainerView Container(string id) => FindContainer(id)
        ?? throw new FaultException(FaultKind.NotFound, "container.not-found", $"There is no container \"{id}\".");

    private static TView? Find<TView>(IReadOnlyDictionary<string, TView> views, string id, Func<TView, bool> isListed)
        where TView : class
    {
        if (views.TryGetValue(id, out var exact)) return isListed(exact) ? exact : null;
        if (id.Length >= Length) return null;
        TView? found = null;
        foreach (var (key, view) in views)
        {
            if (!key.StartsWith(id, StringComparison.Ordinal) || !isListed(view)) continue;
            if (found is not null)
                throw new FaultException(FaultKind.InvalidArgument, "request.ambiguous-id",
                    $"More than one id starts with \"{id}\": give more of it.");
            found = view;
        }
        return found;
    }
}
