using System.Diagnostics;
using Runtime.Actors.Entities;
using Runtime.Actors.Sandboxes;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Sandboxes;

/// <summary>Whole sandboxes with the native shim and the machine's CNI plugins.</summary>
[Collection(KernelCollection.Name)]
public sealed class SandboxLifeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pod_is_run_stopped_and_removed_without_a_trace()
    {
        await using var machine = Started();

        await machine.AskAsync<SandboxStarted>(Run(machine));

        var view = machine.View!;
        Assert.Equal(SandboxPhase.Ready, view.Phase);
        Assert.Equal(["10.123.0.2"], view.Ips);
        Assert.Contains("eth0", await File.ReadAllTextAsync($"/proc/{view.Pid}/net/dev", Cancellation), StringComparison.Ordinal);
        Assert.Single(machine.Shims);

        await machine.AskAsync<SandboxStopped>(Stop(machine));
        Assert.Equal(SandboxPhase.NotReady, machine.View!.Phase);
        Assert.Empty(machine.Cni.Leases);
        Assert.False(NamespacePin.IsPinned(view.NetworkNamespacePath));
        await machine.AskAsync<SandboxStopped>(Stop(machine));

        await machine.AskAsync<SandboxRemoved>(Remove(machine));
        Assert.Null(machine.View);
        await LeavesNothingAsync(machine);
        await machine.AskAsync<SandboxRemoved>(Remove(machine));
    }

    [Fact]
    public async Task A_shared_pid_namespace_has_a_first_process_in_the_pods_leaf()
    {
        await using var machine = Started();
        var config = machine.Config with { Security = new SecurityOptions { Pid = NamespaceMode.Pod } };

        await machine.AskAsync<SandboxStarted>(Run(machine) with { Config = config });

        var pid = machine.View!.Pid;
        Assert.Contains("NSpid:", await File.ReadAllTextAsync($"/proc/{pid}/status", Cancellation), StringComparison.Ordinal);
        Assert.Matches(@"NSpid:\s+\d+\s+1\n", await File.ReadAllTextAsync($"/proc/{pid}/status", Cancellation));
        Assert.Contains(machine.View.CgroupPath, await File.ReadAllTextAsync($"/proc/{pid}/cgroup", Cancellation), StringComparison.Ordinal);
        Assert.Equal(NamespacePin.Inode(machine.View.NetworkNamespacePath), NamespacePin.Inode($"/proc/{pid}/ns/net"));
        Assert.Equal(NamespacePin.Inode(machine.View.IpcNamespacePath), NamespacePin.Inode($"/proc/{pid}/ns/ipc"));

        Process.GetProcessById((int)pid).Kill();
        await UntilAsync(() => machine.View!.Phase == SandboxPhase.NotReady, machine);
        await machine.AskAsync<SandboxRemoved>(Remove(machine));
        await LeavesNothingAsync(machine);
    }

    [Fact]
    public async Task A_pod_on_the_hosts_network_needs_no_plugin()
    {
        await using var machine = Started();
        Directory.Delete(machine.Cni.Options.ConfDir, recursive: true);
        var config = machine.Config with
        {
            Security = new SecurityOptions { Network = NamespaceMode.Node, Ipc = NamespaceMode.Node, Pid = NamespaceMode.Container },
        };

        await machine.AskAsync<SandboxStarted>(Run(machine) with { Config = config });

        Assert.Empty(machine.View!.Ips);
        await machine.AskAsync<SandboxRemoved>(Remove(machine));
        await LeavesNothingAsync(machine);
    }

    [Fact]
    public async Task A_pod_without_a_network_to_join_is_refused_and_undone()
    {
        await using var machine = Started();
        Directory.Delete(machine.Cni.Options.ConfDir, recursive: true);

        var refused = await machine.AskAsync<Rejected>(Run(machine));

        Assert.Equal("network.not-ready", refused.Fault.Code);
        await LeavesNothingAsync(machine);
    }

    [Fact]
    public async Task A_pod_survives_the_daemon()
    {
        await using var machine = Started();
        await machine.AskAsync<SandboxStarted>(Run(machine));
        var before = machine.View;

        await machine.StopAsync();
        machine.Start();
        await UntilAsync(() => machine.View is not null, machine);

        Assert.Equivalent(before, machine.View);
        await machine.AskAsync<SandboxRemoved>(Remove(machine));
        await LeavesNothingAsync(machine);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(60)]
    [InlineData(150)]
    public async Task A_daemon_that_dies_anywhere_in_a_run_finishes_it_for_the_retry(int milliseconds)
    {
        await using var machine = Started();
        machine.Tell(Run(machine));
        await UntilAsync(() => machine.View is not null, machine);
        // Not to wait for anything: the point is to die at some other step each time.
        await Task.Delay(milliseconds, Cancellation);
        await machine.StopAsync();
        machine.Start();
        await UntilAsync(() => machine.View is not null, machine);

        if (machine.View!.Phase == SandboxPhase.Creating)
            Assert.Equal(machine.Id, (await machine.AskAsync<SandboxStarted>(Run(machine) with { EntityId = new string('b', 64) })).SandboxId);

        await UntilAsync(() => machine.View!.Phase == SandboxPhase.Ready, machine);
        Assert.Single(machine.Cni.Leases);
        Assert.Single(machine.Shims);
        await machine.AskAsync<SandboxRemoved>(Remove(machine));
        await LeavesNothingAsync(machine);
    }

    [Fact]
    public async Task A_shim_that_is_killed_makes_the_pod_not_ready_and_leaves_nothing_after_removal()
    {
        await using var machine = Started();
        await machine.AskAsync<SandboxStarted>(Run(machine));

        foreach (var pid in machine.Shims) Process.GetProcessById(pid).Kill();

        await UntilAsync(() => machine.View!.Phase == SandboxPhase.NotReady, machine);
        Assert.Contains("shim", machine.View!.Reason, StringComparison.Ordinal);
        await machine.AskAsync<SandboxStopped>(Stop(machine));
        await machine.AskAsync<SandboxRemoved>(Remove(machine));
        await LeavesNothingAsync(machine);
    }

    [Fact]
    public async Task After_a_reboot_a_pod_is_not_ready_and_its_address_is_free()
    {
        await using var machine = Started();
        await machine.AskAsync<SandboxStarted>(Run(machine));
        await machine.StopAsync();
        foreach (var pid in machine.Shims) Process.GetProcessById(pid).Kill();
        global::Runtime.Linux.Mounts.Mounter.UnmountTree(machine.Options.Directories.State, lazy: true);
        Directory.Delete(machine.Options.Directories.State, recursive: true);
        machine.Options = machine.Options with { BootId = "another" };

        machine.Start();

        await UntilAsync(() => machine.View is { Phase: SandboxPhase.NotReady, NetworkNamespacePath: "" }, machine);
        Assert.Empty(machine.Cni.Leases);
        await machine.AskAsync<SandboxRemoved>(Remove(machine));
        await LeavesNothingAsync(machine);
    }

    private static SandboxMachine Started()
    {
        // Fails here, where nothing exists yet that would be left behind.
        _ = Artifacts.Shim;
        var machine = new SandboxMachine();
        machine.Cni.ConfigureBridge("""{"type": "portmap", "capabilities": {"portMappings": true}}""");
        machine.Start();
        return machine;
    }

    private static RunSandbox Run(SandboxMachine machine) => new(SandboxMachine.Space, machine.Id, machine.Config);

    private static StopSandbox Stop(SandboxMachine machine) => new(SandboxMachine.Space, machine.Id);

    private static RemoveSandbox Remove(SandboxMachine machine) => new(SandboxMachine.Space, machine.Id);

    private static async Task LeavesNothingAsync(SandboxMachine machine)
    {
        // A process that was told to end takes a moment.
        await UntilAsync(() => machine.Shims.Length == 0, machine);
        Assert.Empty(machine.Leftovers);
    }

    private static async Task UntilAsync(Func<bool> reached, SandboxMachine machine)
    {
        var waited = Stopwatch.StartNew();
        while (!reached())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(20),
                $"{machine.View?.Phase} {machine.View?.Reason}; {string.Join(", ", machine.Leftovers)}");
            await Task.Delay(10, Cancellation);
        }
    }
}
