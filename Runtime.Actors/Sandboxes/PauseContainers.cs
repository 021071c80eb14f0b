using System.Collections.Immutable;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Actors.Shims;
using Runtime.Actors.Snapshots;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Oci.Images;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Sandboxes;

/// <summary>
/// Pause containers as any other container's images, snapshots and specs: a pod's first process that does nothing, with as
/// few rights as it can have. Its id is the sandbox's.
/// </summary>
public sealed class PauseContainers(ContainerOptions options, IImageCatalog images, EntityRequests requests) : IPauseContainers
{
    /// <summary>Its oom_score_adj: the last of the pod to go. The kubelet gives the daemon -999.</summary>
    private const long OomScore = -998;

    private readonly SpecInspector _inspector = new(options);

    /// <remarks>CRI's sandboxes are Kubernetes'; no other namespace has any.</remarks>
    private static NamespaceName Space => NamespaceName.Kubernetes;

    public async Task<ImmutableArray<MountSpec>> PrepareAsync(SandboxPlan plan, CancellationToken cancellation)
    {
        var image = images.Find(Space, plan.PauseImage!) ?? await PullAsync(plan.PauseImage!, cancellation);
        var rootfs = await RootfsAsync(plan.Id, image, cancellation);
        var handler = options.Handlers.Resolve(plan.RuntimeHandler);
        var container = ContainerOf(plan, image);
        var view = ViewOf(plan);
        MappedRootfs.Admit(plan.Bundle, options.Directories, view);
        var facts = _inspector.Inspect(container, view, handler, rootfs, ImmutableDictionary<string, string>.Empty, targetPid: 0);
        await File.WriteAllBytesAsync(
            Path.Combine(plan.Bundle, "config.json"), OciSpecJson.Write(SpecOf(plan, container, handler, facts)), cancellation);
        return MappedRootfs.Of(rootfs, view);
    }

    public async Task ReleaseAsync(SandboxPlan plan, CancellationToken cancellation)
    {
        try
        {
            await requests.SendAsync<SnapshotRemoved>(new RemoveSnapshot(Space, plan.Id, plan.PauseSnapshotter!), cancellation);
        }
        catch (FaultException gone) when (gone.Fault.Kind == FaultKind.NotFound)
        {
            // It never got as far, or was released before.
        }
    }

    /// <summary>Pure: the spec of any container of the pod, and what a first process has of its own.</summary>
    internal OciSpec SpecOf(SandboxPlan plan, ContainerPlan container, RuntimeHandler handler, SpecFacts facts)
    {
        var spec = ContainerSpecBuilder.Build(new SpecRequest
        {
            Id = plan.Id,
            Space = Space.Value,
            Config = container.Config with { Security = options.Complete(container.Config.Security) },
            Sandbox = ViewOf(plan),
            Image = container.Image,
            ImageName = container.ImageName,
            Handler = handler,
            Layout = options.Directories,
            Host = options.Host,
            Facts = facts,
        });
        var annotations = new SortedDictionary<string, string>((IDictionary<string, string>)spec.Annotations!, StringComparer.Ordinal)
        {
            [SpecAnnotations.ContainerType] = "sandbox",
            [SpecAnnotations.LogDirectory] = plan.Config.LogDirectory,
        };
        annotations.Remove(SpecAnnotations.ContainerName);
        return spec with { Annotations = annotations };
    }

    internal static ContainerPlan ContainerOf(SandboxPlan plan, ImageSummary image) => new()
    {
        Space = Space,
        Id = plan.Id,
        SandboxId = plan.Id,
        Config = new ContainerConfig
        {
            Name = "pause",
            Image = image.Id,
            Resources = new ContainerResources { OomScoreAdjust = OomScore },
            Security = plan.Config.Security with
            {
                Pid = plan.Config.Security.Pid == NamespaceMode.Node ? NamespaceMode.Node : NamespaceMode.Container,
                Privileged = false,
                ReadonlyRootfs = true,
                NoNewPrivileges = true,
                CapabilitiesDrop = ["ALL"],
                Apparmor = null,
            },
        },
        ImageId = image.Id,
        ImageRef = image.RepoDigests.FirstOrDefault(image.Id),
        ImageName = plan.PauseImage!,
        ChainId = image.ChainId,
        Snapshotter = image.Snapshotter,
        Image = image.Defaults,
        RuntimeHandler = plan.RuntimeHandler,
        LogPath = "",
        StopSignal = StopSignal.Default,
    };

    private static SandboxView ViewOf(SandboxPlan plan) => new()
    {
        Id = plan.Id,
        Config = plan.Config,
        Phase = SandboxPhase.Ready,
        CreatedAt = default,
        NetworkNamespacePath = plan.NetworkNamespacePath,
        IpcNamespacePath = plan.IpcNamespacePath,
        UtsNamespacePath = plan.UtsNamespacePath,
        UserNamespacePath = plan.UserNamespacePath ?? "",
        SelinuxLevel = plan.SelinuxLevel ?? "",
        CgroupPath = plan.CgroupPath,
        RuntimeHandler = plan.RuntimeHandler,
        Hostname = plan.Hostname,
    };

    private async Task<ImageSummary> PullAsync(string reference, CancellationToken cancellation)
    {
        var pulled = await requests.SendAsync<ImagePulled>(
            new PullImage(Space, ImageReference.Parse(reference).ToString(), null, ""), cancellation);
        return images.Find(Space, pulled.ImageId) ?? throw new FaultException(FaultKind.Aborted, "sandbox.no-pause-image",
            $"The pause image {reference} was removed as soon as it was pulled.");
    }

    private async Task<ImmutableArray<MountSpec>> RootfsAsync(string id, ImageSummary image, CancellationToken cancellation)
    {
        try
        {
            var prepared = await requests.SendAsync<SnapshotMounts>(
                new PrepareSnapshot(Space, id, image.Snapshotter, image.ChainId, ImmutableSortedDictionary<string, string>.Empty), cancellation);
            return prepared.Mounts;
        }
        catch (FaultException exists) when (exists.Fault.Kind == FaultKind.AlreadyExists)
        {
            var found = await requests.SendAsync<SnapshotMounts>(new GetSnapshotMounts(Space, id, image.Snapshotter), cancellation);
            return found.Mounts;
        }
    }
}
