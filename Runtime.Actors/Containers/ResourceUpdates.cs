using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Shims;
using Runtime.Actors.Tasks;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Oci.RuntimeSpec;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.Containers;

/// <summary>New limits for a container: its stored spec and its cgroup as one. One update of a container at a time.</summary>
internal sealed class ResourceUpdates(IShims shims, HostFacts host)
{
    private const string ResourcesUrl = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

    private readonly KeyedLocks _turns = new();

    /// <param name="specPath">Of the bundle's config.json.</param>
    /// <param name="isLive">It has a cgroup.</param>
    /// <exception cref="FaultException">Nothing has changed.</exception>
    public async Task UpdateAsync(
        TaskAddress task, string specPath, ContainerResources asked, bool isLive, CancellationToken cancellation)
    {
        using var turn = await _turns.AcquireAsync(task.Id, cancellation);
        var before = await File.ReadAllBytesAsync(specPath, cancellation);
        var spec = OciSpecJson.Read(before, specPath);
        var linux = spec.Linux
            ?? throw new FaultException(FaultKind.DataLoss, "task.no-linux", $"{specPath} has no Linux part.");
        var resources = ContainerSpecBuilder.ResourcesOf(asked, host, linux.Resources ?? new OciResources());
        DurableFiles.Write(specPath, OciSpecJson.Write(spec with { Linux = linux with { Resources = resources } }));
        if (!isLive) return;
        try
        {
            var shim = await shims.ConnectAsync(task.Space, task.Id, cancellation);
            // Without the devices: what a container may open is decided when it is made.
            await shim.UpdateAsync(
                task.Id, new WireAny(ResourcesUrl, OciSpecJson.Write(resources with { Devices = null })),
                ImmutableSortedDictionary<string, string>.Empty, cancellation);
        }
        catch
        {
            DurableFiles.Write(specPath, before);
            throw;
        }
    }
}
