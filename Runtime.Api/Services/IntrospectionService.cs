using Containerd.Services.Introspection.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Api.Filters;
using Runtime.Api.Streams;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.introspection.v1: who we are, and what we can do.</summary>
public sealed class IntrospectionService(ServerIdentity identity, PluginCatalogue plugins, RuntimeDomain domain) : Introspection.IntrospectionBase
{
    private const string RuntimeType = "io.containerd.runtime.v2";

    /// <remarks>Nothing that we serve is deprecated.</remarks>
    public override Task<ServerResponse> Server(Empty request, ServerCallContext context) =>
        Task.FromResult(new ServerResponse { Uuid = identity.Id, Pid = identity.Pid, Pidns = identity.PidNamespace });

    public override Task<PluginsResponse> Plugins(PluginsRequest request, ServerCallContext context)
    {
        var filters = FilterList.Parse(request.Filters);
        var response = new PluginsResponse();
        response.Plugins.AddRange(plugins.All.Where(plugin => filters.Matches(path => Field(plugin, path))));
        return Task.FromResult(response);
    }

    public override async Task<PluginInfoResponse> PluginInfo(PluginInfoRequest request, ServerCallContext context)
    {
        var plugin = plugins.All.FirstOrDefault(plugin => plugin.Type == request.Type && plugin.Id == request.Id)
            ?? throw new FaultException(FaultKind.NotFound, "plugin.not-found", $"plugin {request.Type}.{request.Id}: not found");
        var response = new PluginInfoResponse { Plugin = plugin };
        if (request.Options is null) return response;
        if (request.Type != RuntimeType || domain.ShimInfo is not { } shims || !request.Options.Holds(RuntimeRequest.Parser, out var asked))
            throw new FaultException(FaultKind.Unimplemented, "plugin.no-info", $"plugin {request.Type}.{request.Id} takes no options");
        var info = await shims.AskAsync(asked.RuntimePath, asked.Options?.ToByteArray() ?? [], context.CancellationToken);
        response.Extra = new Any { TypeUrl = RuntimeInfo.Descriptor.FullName, Value = ByteString.CopyFrom(info) };
        return response;
    }

    private static string? Field(Plugin plugin, ReadOnlySpan<string> path) => path switch
    {
        ["type"] => plugin.Type,
        ["id"] => plugin.Id,
        ["capabilities"] => FieldPaths.Value(string.Join(',', plugin.Capabilities)),
        _ => null,
    };
}
