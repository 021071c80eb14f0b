using Containerd.Services.Containers.V1;
using Containerd.Services.Content.V1;
using Containerd.Services.Diff.V1;
using Containerd.Services.Events.V1;
using Containerd.Services.Images.V1;
using Containerd.Services.Introspection.V1;
using Containerd.Services.Leases.V1;
using Containerd.Services.Mounts.V1;
using Containerd.Services.Namespaces.V1;
using Containerd.Services.Sandbox.V1;
using Containerd.Services.Snapshots.V1;
using Containerd.Services.Streaming.V1;
using Containerd.Services.Tasks.V1;
using Containerd.Services.Transfer.V1;
using Containerd.Services.Version.V1;
using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Grpc.Reflection;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Runtime.Api.Edge;

/// <summary>
/// grpc.reflection.v1 and v1alpha, for grpcurl and the like. The descriptors are named one by one, because a native program cannot be
/// searched for them; other floors add their files as <see cref="FileDescriptor"/> services.
/// </summary>
internal static class ServerReflection
{
    private static readonly FileDescriptor[] Files =
    [
        ContainersReflection.Descriptor,
        ContentReflection.Descriptor,
        DiffReflection.Descriptor,
        EventsReflection.Descriptor,
        HealthReflection.Descriptor,
        ImagesReflection.Descriptor,
        IntrospectionReflection.Descriptor,
        LeasesReflection.Descriptor,
        MountsReflection.Descriptor,
        NamespacesReflection.Descriptor,
        SandboxReflection.Descriptor,
        SnapshotsReflection.Descriptor,
        StreamingReflection.Descriptor,
        TasksReflection.Descriptor,
        TransferReflection.Descriptor,
        VersionReflection.Descriptor,
        Actord.V1.ChaosReflection.Descriptor,
        Actord.V1.ImagesReflection.Descriptor,
        Actord.V1.JournalReflection.Descriptor,
    ];

    public static void AddServerReflection(this IServiceCollection services)
    {
        services.AddSingleton(provider => new ReflectionServiceImpl(DescriptorsOf(provider)));
        services.AddSingleton(provider => new ReflectionV1ServiceImpl(DescriptorsOf(provider)));
    }

    private static IEnumerable<ServiceDescriptor> DescriptorsOf(IServiceProvider provider)
    {
        var served = provider.GetRequiredService<ServedServices>().Names;
        return
        [
            .. Files.Concat(provider.GetServices<FileDescriptor>()).SelectMany(file => file.Services)
                .Where(service => served.Contains(service.FullName)),
        ];
    }
}
