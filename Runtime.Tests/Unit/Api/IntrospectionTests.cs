using Containerd.Services.Introspection.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Reflection.V1;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Xunit;

namespace Runtime.Tests.Unit.Api;

public sealed class IntrospectionTests : IAsyncLifetime
{
    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await GrpcServer.StartAsync(_script.Domain);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    private Introspection.IntrospectionClient Client => new(_server.Channel);

    [Fact]
    public async Task Plugins_are_selected_by_type_and_id()
    {
        var found = (await Client.PluginsAsync(new PluginsRequest { Filters = { "type==io.containerd.snapshotter.v1,id==overlayfs" } })).Plugins;
        Assert.Equal(_server.Options.Directories.Snapshotter("overlayfs"), Assert.Single(found).Exports["root"]);
        Assert.Equal(12, found[0].InitErr.Code); // this domain has no snapshotters
    }

    [Fact]
    public async Task Only_services_that_are_served_are_plugins()
    {
        var ids = (await Client.PluginsAsync(new PluginsRequest { Filters = { "type==io.containerd.grpc.v1" } })).Plugins.Select(plugin => plugin.Id).ToList();
        Assert.Contains("snapshots", ids);
        Assert.DoesNotContain("diff", ids);
    }

    [Fact]
    public async Task A_plugin_is_described_or_not_found()
    {
        var info = await Client.PluginInfoAsync(new PluginInfoRequest { Type = "io.containerd.runtime.v2", Id = "task" });
        Assert.Equal("linux", Assert.Single(info.Plugin.Platforms).Os);
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await Client.PluginInfoAsync(new PluginInfoRequest { Type = "no", Id = "such" }));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task The_server_says_who_it_is()
    {
        var server = await Client.ServerAsync(new Empty());
        Assert.Equal((ulong)Environment.ProcessId, server.Pid);
        Assert.NotEqual(0ul, server.Pidns);
    }

    [Fact]
    public async Task Reflection_names_the_services_and_describes_their_messages()
    {
        var services = (await AskAsync(new ServerReflectionRequest { ListServices = "*" })).ListServicesResponse.Service.Select(service => service.Name).ToList();
        Assert.Contains("containerd.services.snapshots.v1.Snapshots", services);
        Assert.Contains("runtime.v1.RuntimeService", services);
        Assert.DoesNotContain("containerd.services.diff.v1.Diff", services);
        var file = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = "runtime.v1.RuntimeService" });
        Assert.NotEmpty(file.FileDescriptorResponse.FileDescriptorProto);
    }

    private async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
    {
        using var call = new ServerReflection.ServerReflectionClient(_server.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return call.ResponseStream.Current;
    }
}
