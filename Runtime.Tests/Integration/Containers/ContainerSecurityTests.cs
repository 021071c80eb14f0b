using System.Collections.Immutable;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ContainerSecurityTests
{
    [Fact]
    public async Task A_shared_pid_namespace_has_the_pods_first_process_and_all_of_a_container_dies_with_it()
    {
        await using var world = await ContainerWorld.StartAsync(sharedPids: true);
        var id = await world.RunAsync(world.Shell("echo self $$; sleep 4712 & exec sleep 4713"));
        await ContainerWorld.UntilAsync(() => Log(world, id).Contains("self", StringComparison.Ordinal), "it has started");
        Assert.DoesNotContain("self 1\n", Log(world, id), StringComparison.Ordinal);
        await world.AskAsync<ContainerStopped>(world.Stop(id, 0));
        await ContainerWorld.UntilAsync(() => !Commands().Any(line => line.Contains("4712", StringComparison.Ordinal)), "its child is gone");
        // The first process is the pod's, and outlives its containers.
        await world.ExitAsync(await world.RunAsync(world.Shell("true")));
    }

    [Fact]
    public async Task A_target_namespace_is_that_of_a_container_which_must_run()
    {
        await using var world = await ContainerWorld.StartAsync();
        var target = await world.RunAsync(world.Shell("exec sleep 4714"));
        var config = world.Shell("ps");
        var joining = config with { Security = config.Security with { Pid = NamespaceMode.Target, TargetId = target } };
        var exited = await world.ExitAsync(await world.RunAsync(joining));
        Assert.Contains("sleep 4714", Log(world, exited.Id), StringComparison.Ordinal);
        var late = await world.CreateAsync(joining with { Name = "late" });
        await world.AskAsync<ContainerStopped>(world.Stop(target, 0));
        Assert.Equal("container.target-not-running", (await world.RefusedAsync(world.Start(late))).Code);
    }

    [Fact]
    public async Task A_privileged_container_has_the_devices_and_capabilities_of_the_host()
    {
        await using var world = await ContainerWorld.StartAsync(privileged: true);
        var config = world.Shell("grep CapEff /proc/self/status; ls /dev/kmsg");
        var exited = await world.ExitAsync(await world.RunAsync(config with { Security = config.Security with { Privileged = true } }));
        var own = File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff", StringComparison.Ordinal)).Split('\t')[1];
        Assert.Contains($"CapEff:\t{own}", Log(world, exited.Id), StringComparison.Ordinal);
        Assert.Contains("F /dev/kmsg\n", Log(world, exited.Id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Root_and_mounts_are_read_only_where_asked_and_the_pods_files_are_there()
    {
        await using var world = await ContainerWorld.StartAsync();
        using var host = new TempDirectory();
        await File.WriteAllTextAsync(host["file"], "x", TestContext.Current.CancellationToken);
        var config = world.Shell("touch /root-file; touch /ro/file; touch /rw/file && echo rw works; cat /etc/hostname; touch /made/file && echo made");
        var exited = await world.ExitAsync(await world.RunAsync(config with
        {
            Mounts =
            [
                new ContainerMount { ContainerPath = "/ro", HostPath = host.Path, Readonly = true },
                new ContainerMount { ContainerPath = "/rw", HostPath = host.Path },
                new ContainerMount { ContainerPath = "/made", HostPath = host["not/yet/there"] },
            ],
            Security = config.Security with { ReadonlyRootfs = false },
        }));
        var log = Log(world, exited.Id);
        Assert.Contains("/ro/file: Read-only file system", log, StringComparison.Ordinal);
        Assert.All(["rw works", "F test\n", "F made\n"], part => Assert.Contains(part, log, StringComparison.Ordinal));
        var locked = world.Shell("touch /root-file");
        var refused = await world.ExitAsync(await world.RunAsync(locked with { Security = locked.Security with { ReadonlyRootfs = true } }));
        Assert.Contains("Read-only file system", Log(world, refused.Id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Masked_paths_are_hidden_exactly_as_asked()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("wc -c < /proc/meminfo");
        var masked = await world.ExitAsync(await world.RunAsync(config with { Security = config.Security with { MaskedPaths = ["/proc/meminfo"] } }));
        Assert.Contains("F 0\n", Log(world, masked.Id), StringComparison.Ordinal);
        var open = await world.ExitAsync(await world.RunAsync(world.Shell("wc -c < /proc/meminfo")));
        Assert.DoesNotContain("F 0\n", Log(world, open.Id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_new_privileges_and_a_custom_filter_reach_the_process()
    {
        await using var world = await ContainerWorld.StartAsync();
        using var host = new TempDirectory();
        await File.WriteAllTextAsync(host["profile.json"],
            """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}""", TestContext.Current.CancellationToken);
        var config = world.Shell("grep NoNewPrivs /proc/self/status; mkdir /tmp/x");
        var exited = await world.ExitAsync(await world.RunAsync(config with
        {
            Security = config.Security with
            {
                NoNewPrivileges = true,
                Seccomp = new SecurityProfile(SecurityProfileKind.Localhost, host["profile.json"]),
            },
        }));
        var log = Log(world, exited.Id);
        Assert.Contains("NoNewPrivs:\t1", log, StringComparison.Ordinal);
        Assert.Contains("Operation not permitted", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_ambient_capability_reaches_a_process_that_is_not_root()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("id -u; grep -E 'Cap(Amb|Eff)' /proc/self/status");
        var exited = await world.ExitAsync(await world.RunAsync(config with
        {
            Security = config.Security with { RunAsUser = 1000, CapabilitiesAmbient = ["NET_BIND_SERVICE"] },
        }));
        var log = Log(world, exited.Id);
        Assert.Contains("F 1000\n", log, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000400", log, StringComparison.Ordinal);
        Assert.Contains("CapAmb:\t0000000000000400", log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/proc/nowhere/at/all", "/a")]
    [InlineData("/etc/passwd/below", "/a")]
    [InlineData("/tmp", "/")]
    [InlineData("/tmp", "/a/..")]
    public async Task A_mount_that_cannot_be_made_is_refused_when_the_container_is_created(string hostPath, string containerPath)
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = new string('e', 64);
        var config = world.Shell("true") with { Mounts = [new ContainerMount { HostPath = hostPath, ContainerPath = containerPath }] };
        var fault = await world.RefusedAsync(new CreateContainer(Actors.Namespaces.NamespaceName.Kubernetes, id, world.SandboxId, config));
        Assert.Equal((Faults.FaultKind.InvalidArgument, "container.invalid-mount"), (fault.Kind, fault.Code));
        await ContainerWorld.UntilAsync(() => !world.Exists(id), "nothing of it is left");
    }

    [Fact]
    public async Task A_device_is_the_users_where_the_node_says_so()
    {
        await using var world = await ContainerWorld.StartAsync(options => options with { DevicesOfUser = true });
        var config = world.Shell("stat -c '%u:%g' /dev/mine; echo x > /dev/mine && echo written");
        var exited = await world.ExitAsync(await world.RunAsync(config with
        {
            Devices = [new ContainerDevice("/dev/mine", "/dev/null", "rw")],
            Security = config.Security with { RunAsUser = 1000, RunAsGroup = 1001 },
        }));
        Assert.All(["F 1000:1001\n", "F written\n"], part => Assert.Contains(part, Log(world, exited.Id), StringComparison.Ordinal));
    }

    private static string Log(ContainerWorld world, string id) => File.Exists(world.View(id).LogPath) ? File.ReadAllText(world.View(id).LogPath) : "";

    private static ImmutableArray<string> Commands() =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).OfType<string>().Where(name => int.TryParse(name, out _)).Select(pid => ContainerWorld.CommandLine(pid) ?? "")];
}
