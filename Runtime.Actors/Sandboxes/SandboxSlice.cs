using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Sandboxes;

/// <summary>What the sandboxes of every namespace share.</summary>
/// <param name="Containers">To find those of a sandbox.</param>
public sealed record SandboxSlice(
    SandboxOptions Options, SandboxPorts Ports, ReadModel<SandboxView> Views, ReadModel<ContainerView> Containers,
    IJournalCatalog Catalog, TimeProvider Clock)
{
    /// <summary>First part of persistence ids.</summary>
    public const string Kind = "sandbox";

    public static NamespaceSlice Create(
        SandboxOptions options, SandboxPorts ports, ReadModel<SandboxView> views, ReadModel<ContainerView> containers,
        IJournalCatalog catalog, TimeProvider clock)
    {
        var slice = new SandboxSlice(options, ports, views, containers, catalog, clock);
        return new NamespaceSlice(SandboxManager.Name, typeof(ISandboxCommand), space => SandboxManager.Props(space, slice));
    }
}
