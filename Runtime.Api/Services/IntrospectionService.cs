using Containerd.Services.Introspection.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Api.Filters;

namespace Runtime.Api.Services;

/// <summary>containerd.services.introspection.v1: who we are, and what we can do.</summary>
public sealed class IntrospectionService(ServerIdentity identity, PluginCatalogue plugins) : Introspection.IntrospectionBase
{
    public override Task<ServerResponse> Server(Empty request, ServerCallContext context) =>
        Task.FromResult(new ServerResponse { Uuid = identity.Id, Pid = identity.Pid, Pidns = identity.PidNamespace });

    public override Task<PluginsResponse> Plugins(PluginsRequest request, ServerCallContext context)
    {
        var filters = FilterList.Parse(request.Filters);
        var response = new PluginsResponse();
        response.Plugins.AddRange(plugins.All.Where(plugin => filters.Matches(path => Field(plugin, path))));
        return Task.FromResult(response);
    }

    private static string? Field(Plugin plugin, ReadOnlySpan<string> path) => path switch
    {
        ["type"] => plugin.Type,
        ["id"] => plugin.Id,
        ["capabilities"] => FieldPaths.Value(string.Join(',', plugin.Capabilities)),
        _ => null,
    };
}
