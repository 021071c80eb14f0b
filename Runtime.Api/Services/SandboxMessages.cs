using System.Collections.Immutable;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Runtime.Actors.Entities;
using Runtime.Actors.SandboxRecords;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>Sandboxes to and from containerd's messages.</summary>
public sealed class SandboxMessages(ContainerRecords records)
{
    /// <summary>containerd's name for what runs CRI's pods.</summary>
    public const string PodSandboxer = "podsandbox";

    /// <exception cref="FaultException">InvalidArgument.</exception>
    public static SandboxRecord Parse(Sandbox? message) => message is null
        ? throw new FaultException(FaultKind.InvalidArgument, "sandbox.missing", "The sandbox is missing: invalid argument")
        : new SandboxRecord
        {
            Id = message.SandboxId,
            Labels = Labels.Parse(message.Labels),
            Runtime = message.Runtime?.Name ?? "",
            RuntimeOptions = ContainerMessages.Parse(message.Runtime?.Options),
            Spec = ContainerMessages.Parse(message.Spec),
            Extensions = message.Extensions.ToImmutableSortedDictionary(
                extension => extension.Key, extension => ContainerMessages.Parse(extension.Value)!, StringComparer.Ordinal),
            Sandboxer = message.Sandboxer,
        };

    public static Sandbox Of(SandboxRecord record) => new()
    {
        SandboxId = record.Id,
        Runtime = new() { Name = record.Runtime, Options = ContainerMessages.Of(record.RuntimeOptions) },
        Spec = ContainerMessages.Of(record.Spec),
        Labels = { record.Labels },
        CreatedAt = Timestamp.FromDateTimeOffset(record.CreatedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(record.UpdatedAt),
        Extensions = { record.Extensions.ToDictionary(extension => extension.Key, extension => ContainerMessages.Of(extension.Value)) },
        Sandboxer = record.Sandboxer,
    };

    /// <summary>A pod's.</summary>
    public Sandbox Of(SandboxView view)
    {
        var container = records.Of(view);
        return new()
        {
            SandboxId = view.Id,
            Runtime = new() { Name = container.Runtime.Name, Options = container.Runtime.Options },
            Labels = { container.Labels },
            CreatedAt = container.CreatedAt,
            UpdatedAt = container.UpdatedAt,
            Sandboxer = PodSandboxer,
        };
    }
}
