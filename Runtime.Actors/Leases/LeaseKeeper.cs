using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Leases;

/// <summary>
/// Puts objects under leases so that no collection that runs meanwhile takes them: what it is about to take is waited for, and
/// what it marked before stays.
/// </summary>
public sealed class LeaseKeeper(EntityRequests requests, ContentPins pins)
{
    /// <summary>Without a lease nothing is done.</summary>
    /// <param name="lease">Its id; null or empty for none.</param>
    /// <exception cref="FaultException">NotFound for an unknown lease.</exception>
    public async Task HoldAsync(NamespaceName space, string? lease, LeaseResource resource, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(lease)) return;
        using var used = pins.Begin();
        if (KeyOf(space, resource) is { } key) await used.AddAsync(key, cancellation);
        await requests.SendAsync<LeaseView>(new AddLeaseResources(space, lease, [resource]), cancellation);
    }

    /// <summary>Takes an object out again; a lease that is gone does not hold it either.</summary>
    public async Task ReleaseAsync(NamespaceName space, string? lease, LeaseResource resource, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(lease)) return;
        try
        {
            await requests.SendAsync<LeaseView>(new RemoveLeaseResources(space, lease, [resource]), cancellation);
        }
        catch (FaultException gone) when (gone.Fault.Kind is FaultKind.NotFound)
        {
            // It ended meanwhile.
        }
    }

    private static string? KeyOf(NamespaceName space, LeaseResource resource) => resource switch
    {
        { Type: LeaseResource.ContentType } => resource.Id,
        _ when resource.Type.StartsWith(LeaseResource.SnapshotTypePrefix, StringComparison.Ordinal) =>
            ContentPins.OfSnapshot(space.Value, resource.Type[LeaseResource.SnapshotTypePrefix.Length..], resource.Id),
        _ => null,
    };
}
