using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>
/// Checkpoints with everything real but CRIU, which many kernels cannot run: in its place runc's <c>checkpoint</c> is a script
/// that writes what CRIU would, or fails as it does.
/// </summary>
[Collection(KernelCollection.Name)]
public sealed class CheckpointTests
{
    [Fact]
    public async Task A_checkpoint_has_all_of_a_container_which_goes_on()
    {
        using var directory = new TempDirectory();
        await using var daemon = await StartAsync(directory, "exit 0");
        var (podId, id) = await RunAsync(daemon);
        await daemon.ExecAsync(id, "sh", "-c", "echo changed > /changed; rm /etc/passwd; echo line");
        var archive = directory["checkpoint.tar"];

        await daemon.Runtime.CheckpointContainerAsync(new CheckpointContainerRequest { ContainerId = id, Location = archive });

        var files = await ReadAsync(archive);
        Assert.Equal(
            ["checkpoint", "checkpoint/inventory.img", "config.dump", "container.log", "dump.log", "rootfs-diff.tar", "spec.dump", "stats-dump", "status", "status.dump"],
            files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("frozen: true\n", Text("checkpoint/inventory.img"));
        Assert.Equal(id, (string?)JsonNode.Parse(Text("config.dump"))!["id"]);
        Assert.Equal("main", (string?)JsonNode.Parse(Text("status.dump"))!["metadata"]!["name"]);
        Assert.Equal(1, (int?)JsonNode.Parse(Text("status.dump"))!["state"]);
        Assert.NotNull(JsonNode.Parse(Text("spec.dump"))!["process"]);
        Assert.Contains("started", Text("container.log"), StringComparison.Ordinal);
        await using var diff = new GZipStream(new MemoryStream(files["rootfs-diff.tar"]), CompressionMode.Decompress);
        var changes = await ReadAsync(diff);
        Assert.Equal("changed\n", System.Text.Encoding.UTF8.GetString(changes["changed"]));
        Assert.Contains("etc/.wh.passwd", changes.Keys);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(archive));
        // Not frozen any more: a command in it ends.
        Assert.Equal("on\n", (await daemon.ExecAsync(id, "echo", "on")).Stdout.ToStringUtf8());
        Assert.Single(Directory.GetFiles(directory.Path, "checkpoint.tar*"));
        await daemon.StopAndRemoveAsync(podId);

        string Text(string name) => System.Text.Encoding.UTF8.GetString(files[name]);
    }

    [Fact]
    public async Task A_dump_that_fails_says_why_and_the_container_goes_on()
    {
        using var directory = new TempDirectory();
        await using var daemon = await StartAsync(directory, "echo '(00.1) Error (criu/x.c:7): no such thing' > \"$work/dump.log\"; exit 1");
        var (_, id) = await RunAsync(daemon);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await daemon.Runtime.CheckpointContainerAsync(
            new CheckpointContainerRequest { ContainerId = id, Location = directory["checkpoint.tar"] }));

        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Contains("no such thing", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(directory.Path, "checkpoint.tar*"));
        Assert.Equal("on\n", (await daemon.ExecAsync(id, "echo", "on")).Stdout.ToStringUtf8());
    }

    [Fact]
    public async Task A_daemon_that_died_in_the_middle_does_not_leave_the_container_frozen()
    {
        using var directory = new TempDirectory();
        await using var daemon = await StartAsync(directory, "touch \"$images/begun\"; exec sleep 5");
        var (_, id) = await RunAsync(daemon);
        var call = daemon.Runtime.CheckpointContainerAsync(new CheckpointContainerRequest { ContainerId = id, Location = directory["checkpoint.tar"] });
        await Eventually.True(
            () => Directory.Exists(Path.Combine(daemon.Root, "containers", id, "checkpoint", "checkpoint"))
                && File.Exists(Path.Combine(daemon.Root, "containers", id, "checkpoint", "checkpoint", "begun")),
            TimeSpan.FromSeconds(20), () => "the dump did not begin");

        await daemon.RestartAfterKillAsync();

        await Assert.ThrowsAsync<RpcException>(async () => await call);
        await Eventually.True(() => !Directory.Exists(Path.Combine(daemon.Root, "containers", id, "checkpoint")), TimeSpan.FromSeconds(20),
            () => "the checkpoint was not abandoned");
        Assert.Equal("on\n", (await daemon.ExecAsync(id, "echo", "on")).Stdout.ToStringUtf8());
    }

    private static async Task<(string PodId, string Id)> RunAsync(DaemonFixture daemon)
    {
        var pod = daemon.Pod("frozen");
        var podId = await daemon.RunPodAsync(pod);
        return (podId, await daemon.RunAsync(podId, pod, daemon.Shell("main", "echo started; exec sleep 1000")));
    }

    /// <param name="dump">What CRIU does, with <c>$images</c> and <c>$work</c>.</param>
    private static Task<DaemonFixture> StartAsync(TempDirectory directory, string dump)
    {
        Script("criu", "exit 0");
        Script("runc", $$"""
            for last; do :; done
            case " $* " in *" checkpoint "*) ;; *) exec runc "$@" ;; esac
            while [ $# -gt 0 ]; do
              case $1 in
                --root) root=$2 ;;
                --image-path) images=$2 ;;
                --work-path) work=$2 ;;
              esac
              shift
            done
            runc --root "$root" state "$last" | grep -q '"status": "paused"' && frozen=true || frozen=false
            echo "frozen: $frozen" > "$images/inventory.img"
            echo log > "$work/dump.log"
            echo stats > "$work/stats-dump"
            {{dump}}
            """);
        return DaemonFixture.StartAsync(fixture => fixture.Configuration = $"""
            [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
            BinaryName = "{directory["runc"]}"
            CriuPath = "{directory["criu"]}"
            """);

        void Script(string name, string body)
        {
            File.WriteAllText(directory[name], $"#!/bin/sh\n{body}\n");
            File.SetUnixFileMode(directory[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static async Task<Dictionary<string, byte[]>> ReadAsync(string archive)
    {
        await using var file = File.OpenRead(archive);
        return await ReadAsync(file);
    }

    private static async Task<Dictionary<string, byte[]>> ReadAsync(Stream archive)
    {
        var files = new Dictionary<string, byte[]>();
        await using var tar = new TarReader(archive);
        while (await tar.GetNextEntryAsync(copyData: true) is { } entry)
        {
            using var content = new MemoryStream();
            if (entry.DataStream is not null) await entry.DataStream.CopyToAsync(content);
            files[entry.Name.TrimEnd('/')] = content.ToArray();
        }
        return files;
    }
}
