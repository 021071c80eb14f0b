using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Leases;
using Runtime.Actors.Records;
using Runtime.Actors.Sandboxes;

namespace Runtime.Actors.Content;

/// <summary>What keeps content and snapshots beside images.</summary>
public sealed record GarbageRoots(
    ReadModel<LeaseView> Leases, ReadModel<ContainerRecord> Records, ReadModel<ContainerView> Containers, ReadModel<SandboxView> Sandboxes)
{
    public GarbageRoots()
        : this(new(), new(), new(), new())
    {
    }
}
