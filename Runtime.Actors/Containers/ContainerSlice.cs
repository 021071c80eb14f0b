using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;

namespace Runtime.Actors.Containers;

/// <summary>The outside of containers.</summary>
/// <param name="Snapshots">Takes every snapshot command.</param>
public sealed record ContainerPorts(IShims Shims, IActorRef Snapshots, IImageCatalog Images);

/// <summary>What the containers of every namespace share.</summary>
public sealed record ContainerSlice(
    ContainerOptions Options, ContainerPorts Ports, ReadModel<ContainerView> Views, ReadModel<SandboxView> Sandboxes,
    IJournalCatalog Catalog, TimeProvider Clock)
{
    /// <summary>First part of persistence ids.</summary>
    public const string Kind = "container";

    public static NamespaceSlice Create(
        ContainerOptions options, ContainerPorts ports, ReadModel<ContainerView> views, ReadModel<SandboxView> sandboxes,
        IJournalCatalog catalog, TimeProvider clock)
    {
        var slice = new ContainerSlice(options, ports, views, sandboxes, catalog, clock);
        return new NamespaceSlice("containers", typeof(IContainerCommand), space => ContainerManager.Props(space, slice));
    }
}
