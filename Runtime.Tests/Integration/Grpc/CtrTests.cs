using System.Text.Json;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Xunit;

namespace Runtime.Tests.Integration.Grpc;

/// <summary>Debian's ctr (grpc-go) against our services on a unix socket.</summary>
public sealed class CtrTests : IAsyncLifetime
{
    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await GrpcServer.StartAsync(_script.Domain);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Fact]
    public async Task Version_prints_ours_and_the_servers_uuid()
    {
        var printed = await CtrAsync("version");

        Assert.Contains("0.1.0", printed, StringComparison.Ordinal);
        Assert.Contains(await File.ReadAllTextAsync(_server.Options.ServerIdFile, TestContext.Current.CancellationToken), printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plugins_namespaces_and_images_are_listed()
    {
        Assert.Contains("overlayfs", await CtrAsync("plugins", "ls"), StringComparison.Ordinal);
        Assert.Contains("k8s.io", await CtrAsync("namespaces", "ls"), StringComparison.Ordinal);
        Assert.Contains("REF", await CtrAsync("-n", "k8s.io", "images", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sandboxes_and_containers_are_containers_and_tasks_of_the_kubernetes_namespace()
    {
        _script.Add(ScriptedDomain.Sandbox() with { Pid = 17 });
        _script.Add(ScriptedDomain.Container() with { Pid = 42 });

        var containers = await CtrAsync("-n", "k8s.io", "containers", "ls");
        Assert.Contains(new string('a', 64), containers, StringComparison.Ordinal);
        Assert.Contains("io.containerd.runc.v2", containers, StringComparison.Ordinal);
        var tasks = await CtrAsync("-n", "k8s.io", "tasks", "ls");
        Assert.Matches("a{64} +17 +RUNNING", tasks);
        Assert.Matches("c{64} +42 +RUNNING", tasks);
        using var info = JsonDocument.Parse(await CtrAsync("-n", "k8s.io", "containers", "info", new string('a', 64)));
        Assert.Equal("sandbox", info.RootElement.GetProperty("Labels").GetProperty("io.cri-containerd.kind").GetString());
        Assert.Equal("1.1.0", info.RootElement.GetProperty("Spec").GetProperty("ociVersion").GetString());
    }

    [Fact]
    public async Task A_filter_selects_by_label_and_a_malformed_one_is_refused()
    {
        _script.Add(ScriptedDomain.Sandbox());
        _script.Add(ScriptedDomain.Container());

        var found = await CtrAsync("-n", "k8s.io", "containers", "ls", "-q", "labels.\"io.cri-containerd.kind\"==container");
        Assert.Equal(new string('c', 64), found.Trim());
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => CtrAsync("-n", "k8s.io", "containers", "ls", "labels.."));
        Assert.Contains("filter", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    private Task<string> CtrAsync(params string[] arguments) =>
        Tool.RunAsync("ctr", ["--address", _server.Socket, .. arguments]);
}
