using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runtime.Actors;
using Runtime.Actors.Journal;
using Runtime.Api.Edge;
using Runtime.Api.Events;
using Runtime.Api.Services;
using Runtime.Api.Streams;

namespace Runtime.Api;

/// <summary>Puts containerd's services and our own into a web application. Runtime.Cri adds CRI on top.</summary>
public static class ApiHosting
{
    /// <remarks>Kestrel is told how gRPC clients speak on a unix socket; where it listens (HTTP/2 only) is the host's.</remarks>
    /// <param name="journal">Null: the journal's service is not offered.</param>
    public static IServiceCollection AddActordApi(
        this IServiceCollection services, RuntimeDomain domain, ApiOptions options, IJournalReader? journal = null)
    {
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = ApiOptions.MessageBytesMax;
            grpc.MaxSendMessageSize = ApiOptions.MessageBytesMax;
            grpc.Interceptors.Add<FaultInterceptor>();
        });
        services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // gRPC bounds its own messages; an import may send, and a subscriber be silent, for as long as it takes.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.RequestHeaderEncodingSelector = static name =>
                name is ":authority" or "Host" ? AuthorityEncoding.Instance : null;
        });
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(domain);
        services.AddSingleton(options);
        services.AddSingleton(ServerIdentity.Load(options));
        services.AddSingleton<FaultInterceptor>();
        services.AddSingleton<OperationMetrics>();
        services.AddSingleton<ActorEdge>();
        services.AddSingleton<EventHub>();
        services.AddSingleton<ContainerRecords>();
        services.AddSingleton<DomainEvents>();
        services.AddHostedService<DomainEventFeed>();
        services.AddSingleton<ServedServices>();
        services.AddSingleton<PluginCatalogue>();
        services.AddServerReflection();
        services.AddSingleton<ContainersService>();
        services.AddSingleton<ContentService>();
        services.AddSingleton<EventsService>();
        services.AddSingleton<HealthService>();
        services.AddSingleton<ImagesService>();
        services.AddSingleton<IntrospectionService>();
        services.AddSingleton<LeasesService>();
        services.AddSingleton<NamespacesService>();
        services.AddSingleton<SandboxMessages>();
        services.AddSingleton<SandboxControllerService>();
        services.AddSingleton<SandboxStoreService>();
        services.AddSingleton<SnapshotsService>();
        services.AddSingleton<StreamRegistry>();
        services.AddSingleton<StreamingService>();
        services.AddSingleton<TasksService>();
        services.AddSingleton<TaskRecipes>();
        services.AddSingleton<VersionService>();
        services.AddSingleton<ActordImagesService>();
        if (domain.Differ is { } differ) services.AddSingleton(differ).AddSingleton<DiffService>();
        if (domain.Transfers is { } transfers) services.AddSingleton(transfers).AddSingleton<TransferService>();
        if (journal is null) return services;
        services.AddSingleton(journal);
        return services.AddSingleton<ActordJournalService>();
    }

    public static void MapActordApi(this IEndpointRouteBuilder app)
    {
        app.MapGrpcService<ContainersService>();
        app.MapGrpcService<ContentService>();
        app.MapGrpcService<EventsService>();
        app.MapGrpcService<HealthService>();
        app.MapGrpcService<ImagesService>();
        app.MapGrpcService<IntrospectionService>();
        app.MapGrpcService<LeasesService>();
        app.MapGrpcService<NamespacesService>();
        app.MapGrpcService<SandboxControllerService>();
        app.MapGrpcService<SandboxStoreService>();
        app.MapGrpcService<SnapshotsService>();
        app.MapGrpcService<StreamingService>();
        app.MapGrpcService<TasksService>();
        app.MapGrpcService<VersionService>();
        app.MapGrpcService<ReflectionServiceImpl>();
        app.MapGrpcService<ReflectionV1ServiceImpl>();
        app.MapGrpcService<ActordImagesService>();
        if (app.ServiceProvider.GetService<ActordChaosService>() is not null) app.MapGrpcService<ActordChaosService>();
        if (app.ServiceProvider.GetService<DiffService>() is not null) app.MapGrpcService<DiffService>();
        if (app.ServiceProvider.GetService<TransferService>() is not null) app.MapGrpcService<TransferService>();
        if (app.ServiceProvider.GetService<ActordJournalService>() is not null) app.MapGrpcService<ActordJournalService>();
    }
}
