using System.Collections.Immutable;
using Containerd.Services.Containers.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Runtime.Actors.Entities;
using Runtime.Actors.Records;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>Container records to and from containerd's messages.</summary>
public static class ContainerMessages
{
    /// <exception cref="FaultException">InvalidArgument.</exception>
    public static ContainerRecord Parse(Container? message) => message is null
        ? throw new FaultException(FaultKind.InvalidArgument, "container.missing", "The container is missing: invalid argument")
        : new ContainerRecord
        {
            Id = message.Id,
            Labels = Labels.Parse(message.Labels),
            Image = message.Image,
            Runtime = message.Runtime?.Name ?? "",
            RuntimeOptions = Parse(message.Runtime?.Options),
            Spec = Parse(message.Spec),
            Snapshotter = message.Snapshotter,
            SnapshotKey = message.SnapshotKey,
            Extensions = message.Extensions.ToImmutableSortedDictionary(
                extension => extension.Key, extension => Parse(extension.Value)!, StringComparer.Ordinal),
            Sandbox = message.Sandbox,
        };

    public static Container Of(ContainerRecord record) => new()
    {
        Id = record.Id,
        Labels = { record.Labels },
        Image = record.Image,
        Runtime = new() { Name = record.Runtime, Options = Of(record.RuntimeOptions) },
        Spec = Of(record.Spec),
        Snapshotter = record.Snapshotter,
        SnapshotKey = record.SnapshotKey,
        CreatedAt = Timestamp.FromDateTimeOffset(record.CreatedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(record.UpdatedAt),
        Extensions = { record.Extensions.ToDictionary(extension => extension.Key, extension => Of(extension.Value)) },
        Sandbox = record.Sandbox,
    };

    public static AnyValue? Parse(Any? any) => any is null ? null : new AnyValue(any.TypeUrl, any.Value.ToByteArray());

    public static Any? Of(AnyValue? any) =>
        any is null ? null : new Any { TypeUrl = any.TypeUrl, Value = UnsafeByteOperations.UnsafeWrap(any.Value) };
}
