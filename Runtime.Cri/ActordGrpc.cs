using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Runtime.Actors;
using Runtime.Actors.Journal;
using Runtime.Api;
using Runtime.Cri.Streaming;
using Runtime.Cri.V1;

namespace Runtime.Cri;

/// <summary>Everything that the daemon serves over gRPC, for the host's composition.</summary>
public static class ActordGrpc
{
    /// <summary>Registers CRI with its streaming server, containerd's services and our own.</summary>
    /// <param name="journal">Null: the service for history and backup is not offered.</param>
    /// <param name="streaming">Null: streams are served on a free port of loopback.</param>
    public static IServiceCollection AddActordGrpc(
        this IServiceCollection services, RuntimeDomain domain, ApiOptions options, IJournalReader? journal = null,
        StreamingOptions? streaming = null)
    {
        services.AddActordApi(domain, options, journal);
        services.AddSingleton(RuntimeService.Descriptor.File);
        services.AddSingleton(streaming ?? new StreamingOptions());
        services.AddSingleton<StreamingServer>();
        services.AddHostedService(provider => provider.GetRequiredService<StreamingServer>());
        services.AddSingleton<CriRuntimeService>();
        return services.AddSingleton<CriImageService>();
    }

    public static void MapActordGrpc(this IEndpointRouteBuilder app)
    {
        app.MapActordApi();
        app.MapGrpcService<CriRuntimeService>();
        app.MapGrpcService<CriImageService>();
    }
}
