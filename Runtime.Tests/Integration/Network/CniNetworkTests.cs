using System.Diagnostics;
using System.Text.Json.Nodes;
using Runtime.Actors.Network;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Network;

[Collection(KernelCollection.Name)]
public sealed class CniNetworkTests
{
    private static readonly string Id = new('a', 64);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pod_gets_an_interface_with_its_address_and_loses_it_again()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge();
        var pod = cni.Pod();

        var attached = await cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);

        Assert.Equal(["10.123.0.2"], attached.Ips);
        Assert.Contains("inet 10.123.0.2/24", await CniFixture.InAsync(pod, "ip", "-o", "addr", "show", "dev", "eth0"), StringComparison.Ordinal);
        Assert.Equal("1.0.0", (string?)JsonNode.Parse(attached.ResultJson)!["cniVersion"]);
        Assert.Equal([$"pods-{Id}-eth0"], cni.CacheFiles);
        await cni.Network.CheckAsync(Id, pod, Cancellation);

        await cni.Network.DelAsync(CniFixture.Detach(Id, pod), Cancellation);

        Assert.Empty(cni.Leases);
        Assert.Empty(cni.CacheFiles);
        Assert.DoesNotContain("eth0", await CniFixture.InAsync(pod, "ip", "-o", "link"), StringComparison.Ordinal);
        await cni.Network.DelAsync(CniFixture.Detach(Id, pod), Cancellation);
    }

    [Fact]
    public async Task The_cache_file_is_one_that_libcni_reads()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge();
        await cni.Network.AddAsync(CniFixture.Attach(Id, cni.Pod()), Cancellation);

        var file = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(cni.Options.CacheDir, "results", $"pods-{Id}-eth0"), Cancellation))!;

        Assert.Equal("cniCacheV1", (string?)file["kind"]);
        Assert.Equal(Id, (string?)file["containerId"]);
        Assert.Equal("eth0", (string?)file["ifName"]);
        Assert.Equal("pods", (string?)file["networkName"]);
        Assert.Equal("pods", (string?)JsonNode.Parse(Convert.FromBase64String((string)file["config"]!))!["name"]);
        Assert.Equal("K8S_POD_NAME", (string?)file["cniArgs"]![1]![0]);
        Assert.NotNull(file["result"]!["ips"]);
    }

    [Fact]
    public async Task Host_ports_are_mapped_and_unmapped()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge("""{"type": "portmap", "capabilities": {"portMappings": true}}""");
        var pod = cni.Pod();
        var capabilities = new CniCapabilities
        {
            PortMappings = [new PortMapping(PortProtocol.Tcp, 80, 8080, ""), new PortMapping(PortProtocol.Udp, 53, 0, "")],
        };

        await cni.Network.AddAsync(CniFixture.Attach(Id, pod, capabilities), Cancellation);

        var rules = await CniFixture.InAsync(cni.Host, "iptables", "-t", "nat", "-S");
        Assert.Contains("--to-destination 10.123.0.2:80", rules, StringComparison.Ordinal);
        Assert.DoesNotContain(":53", rules, StringComparison.Ordinal);

        await cni.Network.DelAsync(CniFixture.Detach(Id, pod), Cancellation);

        Assert.DoesNotContain("10.123.0.2", await CniFixture.InAsync(cni.Host, "iptables", "-t", "nat", "-S"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bandwidth_is_limited_where_the_chain_can()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge("""{"type": "bandwidth", "capabilities": {"bandwidth": true}}""");
        var pod = cni.Pod();

        await cni.Network.AddAsync(
            CniFixture.Attach(Id, pod, new CniCapabilities { Bandwidth = new CniBandwidth(10_000_000, 0) }), Cancellation);

        Assert.Contains("rate 10Mbit", await CniFixture.InAsync(cni.Host, "tc", "qdisc"), StringComparison.Ordinal);
        await cni.Network.DelAsync(CniFixture.Detach(Id, pod), Cancellation);
    }

    [Fact]
    public async Task Delete_uses_what_add_was_done_with_when_the_configuration_has_gone()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge();
        var pod = cni.Pod();
        await cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);
        Directory.Delete(cni.Options.ConfDir, recursive: true);

        await cni.Network.DelAsync(CniFixture.Detach(Id, pod), Cancellation);

        Assert.Empty(cni.Leases);
    }

    [Fact]
    public async Task Delete_frees_the_address_of_a_namespace_that_is_gone()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge();
        var pod = cni.Pod();
        await cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);
        NamespacePin.Remove(pod);

        await cni.Network.DelAsync(CniFixture.Detach(Id, ""), Cancellation);

        Assert.Empty(cni.Leases);
    }

    [Fact]
    public async Task Delete_without_a_cache_uses_the_present_configuration_for_what_is_known_to_be_attached()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge();
        var pod = cni.Pod();
        await cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);
        Directory.Delete(cni.Options.CacheDir, recursive: true);

        await cni.Network.DelAsync(CniFixture.Detach(Id, pod, attached: false), Cancellation);
        Assert.Single(cni.Leases);
        await cni.Network.DelAsync(CniFixture.Detach(Id, pod, attached: true), Cancellation);
        Assert.Empty(cni.Leases);
    }

    [Fact]
    public async Task An_add_that_was_interrupted_is_deleted_before_it_is_done_again()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge();
        var pod = cni.Pod();
        await cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);

        var again = await cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);

        Assert.Equal(cni.Leases, again.Ips);
    }

    [Fact]
    public async Task A_single_plugin_of_an_old_version_is_wrapped_into_a_chain()
    {
        using var cni = new CniFixture();
        cni.Configure("5-old.conf", cni.Bridge().Insert(1, """ "name": "old", "cniVersion": "0.2.0", """));

        var attached = await cni.Network.AddAsync(CniFixture.Attach(Id, cni.Pod()), Cancellation);

        Assert.Equal(["10.123.0.2"], attached.Ips);
        Assert.NotNull(JsonNode.Parse(attached.ResultJson)!["ip4"]);
        await cni.Network.DelAsync(CniFixture.Detach(Id, ""), Cancellation);
        Assert.Empty(cni.Leases);
    }

    [Theory]
    [InlineData(CniIpPreference.Ipv4, "10.123.0.2", "fd00:123::2")]
    [InlineData(CniIpPreference.Ipv6, "fd00:123::2", "10.123.0.2")]
    [InlineData(CniIpPreference.Cni, "10.123.0.2", "fd00:123::2")]
    public async Task Both_families_are_reported_with_the_preferred_one_first(CniIpPreference preference, string first, string second)
    {
        using var cni = new CniFixture(preference);
        cni.ConfigureBridge(ranges: """[{"subnet": "10.123.0.0/24"}], [{"subnet": "fd00:123::/64"}]""");

        var attached = await cni.Network.AddAsync(CniFixture.Attach(Id, cni.Pod()), Cancellation);

        Assert.Equal([first, second], attached.Ips);
    }

    [Fact]
    public async Task What_a_chain_did_before_its_failure_can_be_deleted()
    {
        using var cni = new CniFixture();
        cni.Script("refuser", """
            [ "$CNI_COMMAND" = DEL ] && exit 0
            echo '{"cniVersion": "1.0.0", "code": 7, "msg": "no more policies", "details": "table full"}'
            exit 1
            """);
        cni.ConfigureBridge("""{"type": "refuser"}""");
        var pod = cni.Pod();

        var failure = await Assert.ThrowsAsync<FaultException>(() => cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation));

        Assert.Equal("cni.plugin-failed", failure.Fault.Code);
        Assert.Contains("refuser (ADD, network pods) failed: no more policies: table full (code 7)", failure.Message, StringComparison.Ordinal);
        Assert.Single(cni.Leases);
        await cni.Network.DelAsync(CniFixture.Detach(Id, pod, attached: false), Cancellation);
        Assert.Empty(cni.Leases);
    }

    [Fact]
    public async Task A_delete_that_fails_still_asks_the_other_plugins_and_can_be_repeated()
    {
        using var cni = new CniFixture();
        cni.Script("stubborn", """[ "$CNI_COMMAND" = ADD ] && exec sed 's/.*"prevResult"://; s/}$//' ; echo no; exit 3""");
        cni.ConfigureBridge("""{"type": "stubborn"}""");
        var pod = cni.Pod();
        await cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);

        var failure = await Assert.ThrowsAsync<FaultException>(() => cni.Network.DelAsync(CniFixture.Detach(Id, pod), Cancellation));

        Assert.Contains("stubborn (DEL, network pods) failed: no", failure.Message, StringComparison.Ordinal);
        Assert.Empty(cni.Leases);
        Assert.Single(cni.CacheFiles);
        cni.Script("stubborn", "exit 0");
        await cni.Network.DelAsync(CniFixture.Detach(Id, pod), Cancellation);
        Assert.Empty(cni.CacheFiles);
    }

    [Fact]
    public async Task A_plugin_that_hangs_is_killed_with_its_children()
    {
        using var cni = new CniFixture(limit: TimeSpan.FromMilliseconds(300));
        cni.Script("sleeper", $"echo $$ > {cni["pid"]}; sleep 1000 & echo $! > {cni["child"]}; wait");
        cni.Configure("1.conf", """{"cniVersion": "1.0.0", "name": "slow", "type": "sleeper"}""");

        var failure = await Assert.ThrowsAsync<FaultException>(() =>
            cni.Network.AddAsync(CniFixture.Attach(Id, cni.Pod()), Cancellation));

        Assert.Equal(FaultKind.DeadlineExceeded, failure.Fault.Kind);
        Assert.Contains("sleeper", failure.Message, StringComparison.Ordinal);
        foreach (var file in new[] { "pid", "child" })
            await GoneAsync(int.Parse(await File.ReadAllTextAsync(cni[file], Cancellation), null));
    }

    [Fact]
    public async Task A_plugin_that_outlived_its_daemon_and_hangs_is_killed_before_what_it_did_is_deleted()
    {
        using var cni = new CniFixture(grace: TimeSpan.FromMilliseconds(200));
        cni.Script("sleeper", $"""[ "$CNI_COMMAND" = DEL ] && exit 0; echo $$ > {cni["pid"]}; exec sleep 1000""");
        cni.Configure("1.conf", """{"cniVersion": "1.0.0", "name": "slow", "type": "sleeper"}""");
        var pod = cni.Pod();
        var add = cni.Network.AddAsync(CniFixture.Attach(Id, pod), Cancellation);
        while (!File.Exists(cni["pid"])) await Task.Delay(10, Cancellation);

        await new CniNetwork(cni.Options, cni.Loader, Akka.Event.NoLogger.Instance).DelAsync(CniFixture.Detach(Id, pod, attached: false), Cancellation);

        await Assert.ThrowsAsync<FaultException>(() => add);
        Assert.Empty(cni.CacheFiles);
    }

    [Fact]
    public async Task A_cancelled_add_lets_the_plugin_that_runs_finish_and_starts_no_other()
    {
        using var cni = new CniFixture();
        cni.Script("slow", $"""echo x > {cni["began"]}; sleep 0.3; echo x > {cni["ended"]}; echo '{"{}"}'""");
        cni.Script("next", $"""echo x > {cni["next"]}; echo '{"{}"}'""");
        cni.Configure("1.conflist", """{"cniVersion": "1.0.0", "name": "slow", "plugins": [{"type": "slow"}, {"type": "next"}]}""");
        using var caller = new CancellationTokenSource();
        var add = cni.Network.AddAsync(CniFixture.Attach(Id, cni.Pod()), caller.Token);
        while (!File.Exists(cni["began"])) await Task.Delay(10, Cancellation);

        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => add);
        Assert.True(File.Exists(cni["ended"]));
        Assert.False(File.Exists(cni["next"]));
    }

    [Fact]
    public async Task A_plugin_that_is_missing_is_named()
    {
        using var cni = new CniFixture();
        cni.ConfigureBridge("""{"type": "absent"}""");

        var failure = await Assert.ThrowsAsync<FaultException>(() =>
            cni.Network.AddAsync(CniFixture.Attach(Id, cni.Pod()), Cancellation));

        Assert.Equal("cni.plugin-missing", failure.Fault.Code);
        Assert.Contains("absent", failure.Message, StringComparison.Ordinal);
        Assert.Empty(cni.Leases);
    }

    [Fact]
    public async Task Words_that_are_no_result_are_refused()
    {
        using var cni = new CniFixture();
        cni.Script("babbler", "echo hello");
        cni.Configure("1.conf", """{"cniVersion": "1.0.0", "name": "odd", "type": "babbler"}""");

        var failure = await Assert.ThrowsAsync<FaultException>(() =>
            cni.Network.AddAsync(CniFixture.Attach(Id, cni.Pod()), Cancellation));

        Assert.Equal("cni.invalid-result", failure.Fault.Code);
        Assert.Contains("babbler", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plugins_get_the_environment_of_the_specification_and_only_capabilities_that_they_declare()
    {
        using var cni = new CniFixture();
        cni.Script("recorder", $$"""
            env > {{cni["env"]}}; cat > {{cni["stdin"]}}
            echo '{ "cniVersion": "1.0.0", "ips": [ {"address": "10.0.0.9/24"} ] }'
            """);
        cni.Configure("1.conf", """
            {"cniVersion": "1.0.0", "name": "rec", "type": "recorder", "capabilities": {"dns": true, "mac": false}}
            """);
        var capabilities = new CniCapabilities { Dns = new DnsConfig(["9.9.9.9"], ["example.org"], ["ndots:2"]), Mac = "02:00:00:00:00:01" };
        var pod = cni.Pod();

        await cni.Network.AddAsync(CniFixture.Attach(Id, pod, capabilities), Cancellation);

        var environment = await File.ReadAllLinesAsync(cni["env"], Cancellation);
        Assert.Contains("CNI_COMMAND=ADD", environment);
        Assert.Contains($"CNI_CONTAINERID={Id}", environment);
        Assert.Contains($"CNI_NETNS={pod}", environment);
        Assert.Contains("CNI_IFNAME=eth0", environment);
        Assert.Contains("CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web", environment);
        Assert.Contains($"CNI_PATH={cni["bin"]}", environment);
        var input = JsonNode.Parse(await File.ReadAllTextAsync(cni["stdin"], Cancellation))!;
        Assert.Equal("rec", (string?)input["name"]);
        Assert.Equal("""{"dns":{"servers":["9.9.9.9"],"searches":["example.org"],"options":["ndots:2"]}}""", input["runtimeConfig"]!.ToJsonString());
        Assert.Null(input["prevResult"]);
    }

    private static async Task GoneAsync(int pid)
    {
        var waited = Stopwatch.StartNew();
        while (Directory.Exists($"/proc/{pid}") && !(await File.ReadAllTextAsync($"/proc/{pid}/stat")).Contains(") Z ", StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), $"Process {pid} is still there.");
            await Task.Delay(10, Cancellation);
        }
    }
}
