using System.Globalization;
using Runtime.Linux.Namespaces;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Actord;
using Runtime.Ttrpc.Sandboxes;
using Xunit;

namespace Runtime.Tests.Integration.Shim;

[Collection(KernelCollection.Name)]
public sealed class ShimSandboxTests
{
    [Fact]
    public async Task A_pod_with_its_own_network_is_a_thread_whose_proc_shows_that_network()
    {
        await using var pod = new ShimPod();
        var netns = pod.File_("netns");
        NamespacePin.Create(NamespaceKind.Network, netns, Loopback.Up);
        try
        {
            var id = await pod.StartShim("p", ["/bin/true"]);
            await pod.Sandboxes.CreateAsync(
                new() { SandboxId = id, BundlePath = pod.Bundle(id), NetnsPath = netns }, ShimPod.Options, ShimPod.Cancellation);
            var started = await pod.Sandboxes.StartAsync(id, ShimPod.Options, ShimPod.Cancellation);

            Assert.Equal(NamespacePin.Inode(netns), NamespacePin.Inode($"/proc/{started.Pid}/ns/net"));
            var devices = (await File.ReadAllLinesAsync($"/proc/{started.Pid}/net/dev", ShimPod.Cancellation)).Skip(2);
            Assert.StartsWith("lo:", Assert.Single(devices).Trim(), StringComparison.Ordinal);
            Assert.Equal("SANDBOX_READY", (await pod.Sandboxes.StatusAsync(id, false, ShimPod.Options, ShimPod.Cancellation)).State);
            var waiting = pod.Sandboxes.WaitAsync(id, ShimPod.Options, ShimPod.Cancellation);
            await pod.Sandboxes.StopAsync(id, TimeSpan.FromSeconds(5), ShimPod.Options, ShimPod.Cancellation);
            Assert.Equal(0u, (await waiting).ExitStatus);
            await ShimPod.Until(() => !Directory.Exists($"/proc/{started.Pid}"), "the thread has ended");
            await pod.Sandboxes.ShutdownAsync(id, ShimPod.Options, ShimPod.Cancellation);
            await ShimPod.Until(() => !File.Exists(pod.Address["unix://".Length..]), "the socket is gone");
        }
        finally
        {
            NamespacePin.Remove(netns);
        }
    }

    [Fact]
    public async Task A_shared_pid_namespace_has_a_pid_1_that_reaps_and_has_no_privileges()
    {
        await using var pod = new ShimPod();
        var id = await pod.StartShim("p", ["/bin/sh", "-c", "cat /proc/1/root/etc/passwd 2>/dev/null || echo no way out; for i in 1 2 3; do (sleep 0.05 &) ; done; sleep 0.5; echo orphaned; sleep 1000"]);
        await pod.Sandboxes.CreateAsync(new()
        {
            SandboxId = id,
            BundlePath = pod.Bundle(id),
            Annotations = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add(SandboxAnnotations.SharedPid, "true"),
        }, ShimPod.Options, ShimPod.Cancellation);
        var pid = (int)(await pod.Sandboxes.StartAsync(id, ShimPod.Options, ShimPod.Cancellation)).Pid;

        await ShimPod.Until(() => Status(pid, "CapEff") == "0000000000000000", "pid 1 has dropped its capabilities");
        // Nobody inside gets at the host through it: it has no files and no root, and is not open to a process of the same user.
        Assert.Empty(Directory.GetFileSystemEntries($"/proc/{pid}/root/"));
        Assert.Empty(Directory.GetFileSystemEntries($"/proc/{pid}/fd"));
        Assert.Empty((await File.ReadAllTextAsync($"/proc/{pid}/environ", ShimPod.Cancellation)).Trim('\0'));
        Assert.StartsWith("actord-pod\0", await File.ReadAllTextAsync($"/proc/{pid}/cmdline", ShimPod.Cancellation), StringComparison.Ordinal);
        Assert.Equal(("1", "1"), (Status(pid, "NSpid").Split('\t')[^1], Status(pid, "NoNewPrivs")));
        Assert.NotEqual(NamespacePin.Inode("/proc/self/ns/pid"), NamespacePin.Inode($"/proc/{pid}/ns/pid"));
        var rollup = await File.ReadAllTextAsync($"/proc/{pid}/smaps_rollup", ShimPod.Cancellation);
        TestContext.Current.TestOutputHelper?.WriteLine(rollup);

        // A container of the pod: its orphans become pid 1's children, and none stays a zombie.
        var config = Path.Combine(pod.Bundle(id), "config.json");
        var spec = (await File.ReadAllTextAsync(config, ShimPod.Cancellation))
            .Replace("{\"type\":\"pid\"}", $"{{\"type\":\"pid\",\"path\":\"/proc/{pid}/ns/pid\"}}", StringComparison.Ordinal);
        await File.WriteAllTextAsync(config, spec, ShimPod.Cancellation);
        await pod.Create(id, new CriLogUri(pod.Log(id)).ToString());
        var container = await pod.Tasks.StartAsync(id, "", ShimPod.Options, ShimPod.Cancellation);
        await ShimPod.Until(() => pod.Entries(id) is [_, "stdout F orphaned"], "the container has made orphans");
        Assert.Equal("stdout F no way out", pod.Entries(id)[0]);
        // pid 1 and the shell; its sleep too, unless the shell became it.
        await ShimPod.Until(() => Namespace(pid) is 2 or 3, "the orphans are reaped");

        var waiting = pod.Sandboxes.WaitAsync(id, ShimPod.Options, ShimPod.Cancellation);
        await pod.Sandboxes.StopAsync(id, TimeSpan.FromSeconds(5), ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal(0u, (await waiting).ExitStatus);
        Assert.Equal(137u, await pod.Wait(id));
        Assert.False(Directory.Exists($"/proc/{container}"));
    }

    private static string Status(int pid, string name) => File.ReadLines($"/proc/{pid}/status")
        .First(line => line.StartsWith($"{name}:", StringComparison.Ordinal))[(name.Length + 1)..].Trim();

    /// <summary>How many processes are in the pid namespace.</summary>
    private static int Namespace(int pid)
    {
        var wanted = NamespacePin.Inode($"/proc/{pid}/ns/pid");
        return Directory.EnumerateDirectories("/proc").Count(directory =>
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out _))
                return false;
            try
            {
                return NamespacePin.Inode($"{directory}/ns/pid") == wanted;
            }
            catch (Faults.FaultException)
            {
                return false; // it has ended
            }
        });
    }
}
