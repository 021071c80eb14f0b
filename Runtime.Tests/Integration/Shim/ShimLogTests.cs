using System.Globalization;
using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Actord;
using Xunit;

namespace Runtime.Tests.Integration.Shim;

[Collection(KernelCollection.Name)]
public sealed class ShimLogTests
{
    [Fact]
    public async Task A_hundred_rotations_under_load_lose_double_and_tear_no_line()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/seq", "1", "2000000000"]);
        var files = new List<string>();
        while (files.Count < 100)
        {
            // As the kubelet does: rename, then ask for a new file.
            await ShimPod.Until(() => new FileInfo(pod.Log(id)).Length > 100_000, "there is something to rotate");
            files.Add($"{pod.Log(id)}.{files.Count}");
            File.Move(pod.Log(id), files[^1]);
            await pod.Native.ReopenLogAsync(id, ShimPod.Options, ShimPod.Cancellation);
        }
        await pod.Tasks.KillAsync(new() { Id = id, Signal = 9 }, ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal(137u, await pod.Wait(id));

        var next = 1;
        foreach (var line in files.Append(pod.Log(id)).SelectMany(File.ReadLines))
        {
            if (line.AsSpan(31).StartsWith("stdout P")) continue; // where the writer was killed
            Assert.Equal($"stdout F {next.ToString(CultureInfo.InvariantCulture)}", line[31..]);
            next++;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{next - 1} lines in {files.Count + 1} files");
        Assert.True(next > 100_000);
    }

    [Fact]
    public async Task Without_a_rotation_the_guard_keeps_the_log_within_its_size()
    {
        await using var pod = new ShimPod();
        var id = await pod.StartShim("c", ["/bin/seq", "1", "500000"]);
        await pod.Create(id, new CriLogUri(pod.Log(id), MaxSizeBytes: 1_000_000).ToString());
        await pod.Tasks.StartAsync(id, "", ShimPod.Options, ShimPod.Cancellation);

        Assert.Equal(0u, await pod.Wait(id));

        // One batch of entries, whose text fits into one read of a pipe, is written over the limit at most.
        Assert.All(new[] { pod.Log(id), pod.Log(id) + ".old" }, file => Assert.InRange(new FileInfo(file).Length, 1, 2_000_000));
        var kept = File.ReadLines(pod.Log(id) + ".old").Concat(File.ReadLines(pod.Log(id))).Select(line => int.Parse(line[40..], CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(Enumerable.Range(500_000 - kept.Length + 1, kept.Length), kept);
    }

    [Fact]
    public async Task A_full_disk_loses_lines_but_blocks_nobody_and_the_log_goes_on_whole_when_there_is_room()
    {
        await using var pod = new ShimPod();
        var disk = Directory.CreateDirectory(pod.File_("disk")).FullName;
        Mounter.MountAll([new("tmpfs", "tmpfs", "", ["size=1m"])], disk);
        var go = pod.File_("rootfs/tmp/go");
        var id = await pod.StartShim("c", ["/bin/sh", "-c", "seq 1 30000; while [ ! -e /tmp/go ]; do sleep 0.1; done; seq 1 1000"]);
        var log = Path.Combine(disk, "0.log");
        await pod.Create(id, new CriLogUri(log).ToString());
        var init = await pod.Tasks.StartAsync(id, "", ShimPod.Options, ShimPod.Cancellation);
        await ShimPod.Until(() => new DriveInfo(disk).AvailableFreeSpace == 0, "the disk is full");
        await ShimPod.Until(() => IsWaiting(), "the writer has not been held up");
        // Somebody makes room: the kubelet removes old logs.
        File.Move(log, pod.File_("full.log"));
        await pod.Native.ReopenLogAsync(id, ShimPod.Options, ShimPod.Cancellation);
        await File.WriteAllTextAsync(go, "", ShimPod.Cancellation);

        Assert.Equal(0u, await pod.Wait(id).WaitAsync(TimeSpan.FromSeconds(30), ShimPod.Cancellation));

        bool IsWaiting() => File.Exists($"/proc/{init}/task/{init}/children") &&
            File.ReadAllText($"/proc/{init}/task/{init}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Any(child => ContainerWorld.CommandLine(child)?.StartsWith("sleep", StringComparison.Ordinal) == true);

        var last = File.ReadAllLines(log).TakeLast(1000).Select(line => line[31..]).ToArray();
        Assert.Equal(Enumerable.Range(1, 1000).Select(number => $"stdout F {number}"), last);
    }

    [Fact]
    public async Task A_terminals_output_is_one_stream_of_whole_and_partial_lines()
    {
        await using var pod = new ShimPod();
        var id = await pod.StartShim("c", ["/bin/sh", "-c", "echo out; echo err >&2; echo 123456789"], spec => spec["process"]!["terminal"] = true);
        await pod.Create(id, new CriLogUri(pod.Log(id), MaxLineBytes: 4, IsTerminal: true).ToString(), terminal: true);
        await pod.Tasks.StartAsync(id, "", ShimPod.Options, ShimPod.Cancellation);

        Assert.Equal(0u, await pod.Wait(id));

        Assert.Equal(
            ["stdout F out\r", "stdout F err\r", "stdout P 1234", "stdout P 5678", "stdout F 9\r"],
            (await File.ReadAllTextAsync(pod.Log(id), ShimPod.Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line[31..]));
    }
}
