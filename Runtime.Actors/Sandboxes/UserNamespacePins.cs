using System.Collections.Immutable;
using Runtime.Linux.Namespaces;

namespace Runtime.Actors.Sandboxes;

/// <summary>The namespaces of a pod with a user namespace of its own, which owns them. Blocks.</summary>
internal static class UserNamespacePins
{
    /// <summary>
    /// 1. what an interrupted try left goes, 2. the kernel makes all namespaces at once, 3. each is pinned and set up,
    /// 4. the user
    /// namespace is pinned last: where it is, all is complete.
    /// </summary>
    public static void Make(SandboxPlan plan, Action<SandboxPlan> initializeNetwork, Action initializeIpc)
    {
        var user = plan.UserNamespacePath!;
        if (NamespacePin.IsPinned(user)) return;
        ImmutableArray<(NamespaceKind Kind, string Path, Action Initialize)> owned =
        [
            (NamespaceKind.Network, plan.NetworkNamespacePath, () => initializeNetwork(plan)),
            (NamespaceKind.Ipc, plan.IpcNamespacePath, initializeIpc),
            (NamespaceKind.Uts, plan.UtsNamespacePath, () => SandboxResources.SetHostname(plan)),
        ];
        owned = owned.RemoveAll(each => each.Path.Length == 0);
        foreach (var (_, path, _) in owned) NamespacePin.Remove(path);
        var kinds = owned.Aggregate((NamespaceKind)0, (all, each) => all | each.Kind);
        UserNamespace.Create(RangeOf(plan.Config.Security.UidMappings[0]), RangeOf(plan.Config.Security.GidMappings[0]), kinds, directory =>
        {
            foreach (var (kind, path, initialize) in owned)
            {
                NamespacePin.Keep($"{directory}/{NamespacePin.FileName(kind)}", path);
                NamespacePin.Run(kind, path, initialize);
            }
            NamespacePin.Keep($"{directory}/{NamespacePin.FileName(NamespaceKind.User)}", user);
        });
    }

    private static IdRange RangeOf(IdMapping mapping) => new(mapping.ContainerId, mapping.HostId, mapping.Length);
}
