using System.Diagnostics;
using Containerd.Services.Introspection.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>The real daemon as clients of containerd see it while a pod lives.</summary>
[Collection(KernelCollection.Name)]
public sealed class ContainerdServicesTests
{
    [Fact]
    public async Task A_pods_life_is_told_as_containerd_tells_it()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        using var events = Process.Start(new ProcessStartInfo("ctr", ["--address", daemon.Socket, "events"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var lines = new List<string>();
        var reading = ReadAsync(events, lines);
        // The subscription is in place once something is seen of it.
        await Eventually.AsyncTrue(
            async () =>
            {
                await daemon.CtrAsync("snapshots", "prepare", $"sync-{Guid.NewGuid():N}");
                lock (lines) return lines.Count > 0;
            },
            TimeSpan.FromSeconds(20), () => "ctr events prints nothing");

        var pod = daemon.Pod("told");
        var id = await daemon.RunPodAsync(pod);
        var container = await daemon.RunAsync(id, pod, daemon.Shell("main", "exit 3"));
        await daemon.ExitedAsync(container);
        await daemon.StopAndRemoveAsync(id);
        await Eventually.True(
            () => Topics(lines, id).Contains("/containers/delete") && Topics(lines, container).Contains("/containers/delete"),
            TimeSpan.FromSeconds(10), () => string.Join('\n', lines));
        events.Kill();
        await reading;

        // Debian's ctr 1.6 passes over the events of sandboxes, which it does not know.
        Assert.Equal(
            ["/containers/create", "/containers/delete"],
            Topics(lines, id).Where(topic => !topic.StartsWith("/tasks/", StringComparison.Ordinal)));
        Assert.Equal(
            ["/containers/create", "/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete", "/containers/delete"],
            Topics(lines, container));
    }

    [Fact]
    public async Task A_runtime_says_what_it_can_do()
    {
        await using var daemon = await DaemonFixture.StartAsync(withImage: false);
        var info = await new Introspection.IntrospectionClient(daemon.Channel).PluginInfoAsync(new PluginInfoRequest
        {
            Type = "io.containerd.runtime.v2",
            Id = "task",
            Options = new Any { TypeUrl = "containerd.types.RuntimeRequest", Value = new RuntimeRequest { RuntimePath = "io.containerd.runc.v2" }.ToByteString() },
        });

        var runtime = RuntimeInfo.Parser.ParseFrom(info.Extra.Value);
        Assert.Equal("io.containerd.actor.v1", runtime.Name);
        Assert.Contains("ociVersionMin", runtime.Features.Value.ToStringUtf8(), StringComparison.Ordinal);
        var plugins = await daemon.CtrAsync("plugins", "ls");
        Assert.Matches(@"io.containerd.snapshotter.v1 +overlayfs +linux/\S+ +ok", plugins);
        Assert.Matches(@"io.containerd.grpc.v1 +diff +- +ok", plugins);
    }

    private static async Task ReadAsync(Process events, List<string> lines)
    {
        while (await events.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            lock (lines) lines.Add(line);
    }

    /// <summary>Of the events that name the id, in their order.</summary>
    private static List<string> Topics(List<string> lines, string id)
    {
        lock (lines)
        {
            return [.. lines.Where(line => line.Contains($"\"{id}\"", StringComparison.Ordinal) && !line.Contains("/snapshot/", StringComparison.Ordinal))
                .Select(line => line.Split(' ')[5])];
        }
    }
}
