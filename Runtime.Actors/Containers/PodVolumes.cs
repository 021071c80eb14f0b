using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Containers;

/// <summary>
/// Where the images that are a pod's volumes are mounted, and under which keys their snapshots are kept: by the pod and what is
/// in the image, so that containers share them.
/// </summary>
public sealed class PodVolumes(EntityRequests requests, ReadModel<SnapshotView> snapshots, DirectoryLayout layout) : ISandboxVolumes
{
    public static string KeyOf(string sandboxId, string chainId) => $"{PrefixOf(sandboxId)}{chainId}";

    public static string PlaceOf(DirectoryLayout layout, string sandboxId, string chainId) =>
        Path.Combine(DirectoryOf(layout, sandboxId), chainId.Replace(':', '-') is { Length: > 0 } name ? name : "empty");

    public async Task ReleaseAsync(NamespaceName space, string sandboxId, CancellationToken cancellation)
    {
        var directory = DirectoryOf(layout, sandboxId);
        if (Directory.Exists(directory))
        {
            Mounter.UnmountTree(directory, lazy: true);
            DirectoryTree.Delete(directory);
        }
        var prefix = PrefixOf(sandboxId);
        foreach (var view in snapshots.In(space).Values.Where(view => view.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList())
        {
            try
            {
                await requests.SendAsync<SnapshotRemoved>(new RemoveSnapshot(space, view.Key, view.Snapshotter), cancellation);
            }
            catch (FaultException gone) when (gone.Fault.Kind == FaultKind.NotFound)
            {
                // Somebody else removed it since.
            }
        }
    }

    private static string PrefixOf(string sandboxId) => $"{sandboxId}-volume-";

    private static string DirectoryOf(DirectoryLayout layout, string sandboxId) => Path.Combine(layout.Sandbox(sandboxId), "image-volumes");
}
