using System.Text;
using System.Text.Json.Nodes;
using Runtime.Faults;
using Runtime.Linux.Io;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Actord;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;
using Xunit;

namespace Runtime.Tests.Integration.Shim;

[Collection(KernelCollection.Name)]
public sealed class ShimTaskTests
{
    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task A_container_runs_logs_exits_and_is_deleted_without_a_trace(string runtime)
    {
        await using var pod = new ShimPod(runtime);
        await using var events = pod.ListenForEvents();
        var id = await pod.Run("c", ["/bin/sh", "-c", "echo out; echo err >&2; echo last; exit 7"]);

        Assert.Equal(7u, await pod.Wait(id));
        Assert.Equal(["stderr F err", "stdout F last", "stdout F out"], pod.Entries(id).Order());
        var state = await pod.Tasks.StateAsync(id, "", ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal((3u, 7u), (state.Status, state.ExitStatus));
        Assert.True(DateTimeOffset.UtcNow - state.ExitedAt < TimeSpan.FromMinutes(1));
        var exit = await pod.Tasks.DeleteAsync(id, "", ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal((state.Pid, 7u, state.ExitedAt), (exit.Pid, exit.ExitStatus, exit.ExitedAt));

        Assert.False(Directory.Exists(Path.Combine(pod.Bundle(id), "rootfs/bin")), "the rootfs is unmounted");
        Assert.False(Directory.Exists($"/sys/fs/cgroup/memory/actord-shim-test/{id}"), "the cgroup is gone");
        var gone = await Assert.ThrowsAsync<FaultException>(() => pod.Tasks.StateAsync(id, "", ShimPod.Options, ShimPod.Cancellation));
        Assert.Equal(FaultKind.NotFound, gone.Fault.Kind);
        await ShimPod.Until(() => events.Topics.Length == 4, "all events are forwarded");
        Assert.Equal([TaskTopics.Create, TaskTopics.Start, TaskTopics.Exit, TaskTopics.Delete], events.Topics);
        await pod.Tasks.ShutdownAsync(id, now: false, ShimPod.Options, ShimPod.Cancellation);
        await ShimPod.Until(() => !File.Exists(pod.Address["unix://".Length..]), "the socket is gone");
    }

    [Fact]
    public async Task Version_2_of_the_task_service_is_served_too()
    {
        await using var pod = new ShimPod();
        var id = await pod.StartShim("c", ["/bin/true"], isBootstrap: false);

        var connected = await new TaskClient(pod.Tasks.Connection, 2).ConnectAsync(id, ShimPod.Options, ShimPod.Cancellation);

        Assert.Equal((uint)pod.ShimPid, connected.ShimPid);
    }

    [Fact]
    public async Task A_second_container_joins_the_pods_shim()
    {
        await using var pod = new ShimPod();
        var first = await pod.Run("a", ["/bin/sleep", "1000"]);
        var shim = pod.ShimPid;
        var second = await pod.Run("b", ["/bin/echo", "hi"]);

        Assert.Equal(shim, pod.ShimPid);
        Assert.Equal(0u, await pod.Wait(second));
        var busy = await Assert.ThrowsAsync<FaultException>(() =>
            pod.Tasks.ShutdownAsync(first, now: false, ShimPod.Options, ShimPod.Cancellation));
        Assert.Equal(FaultKind.FailedPrecondition, busy.Fault.Kind);
    }

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task Execs_answer_their_exit_codes_and_unknown_ones_are_NotFound(string runtime)
    {
        await using var pod = new ShimPod(runtime);
        await using var events = pod.ListenForEvents();
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);
        var output = pod.File_("exec.out");
        await pod.Exec(id, "e1", ["/bin/sh", "-c", "echo in exec; exit 3"], $"file://{output}");

        Assert.Equal(3u, await pod.Wait(id, "e1"));
        Assert.Equal("in exec\n", await File.ReadAllTextAsync(output, ShimPod.Cancellation));
        Assert.Equal(3u, (await pod.Tasks.DeleteAsync(id, "e1", ShimPod.Options, ShimPod.Cancellation)).ExitStatus);
        var gone = await Assert.ThrowsAsync<FaultException>(() => pod.Wait(id, "e1"));
        Assert.Equal(FaultKind.NotFound, gone.Fault.Kind);
        await ShimPod.Until(() => events.Topics.Length == 5, "all events are forwarded");
        Assert.Equal([TaskTopics.Create, TaskTopics.Start, TaskTopics.ExecAdded, TaskTopics.ExecStarted, TaskTopics.Exit], events.Topics);
    }

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task A_size_that_is_asked_for_before_the_start_is_the_terminals_first(string runtime)
    {
        await using var pod = new ShimPod(runtime);
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);
        var output = pod.File_("exec.out");
        // The command may run before the size arrives: the OCI runtime hands the terminal over while it starts it.
        string[] command = ["/bin/sh", "-c", "until [ -n \"$(stty size 2>/dev/null)\" ]; do sleep 0.01; done; stty size"];
        await pod.Exec(id, "e", command, $"file://{output}", terminal: true, size: (132, 43));

        Assert.Equal(0u, await pod.Wait(id, "e"));
        Assert.Equal("43 132\r\n", await File.ReadAllTextAsync(output, ShimPod.Cancellation));
    }

    [Fact]
    public async Task An_exec_of_a_missing_program_fails_with_the_runtimes_words_and_counts_as_ended()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);

        var fault = await Assert.ThrowsAsync<FaultException>(() => pod.Exec(id, "e", ["/bin/missing"]));

        Assert.Contains("/bin/missing", fault.Message, StringComparison.Ordinal);
        Assert.Equal(255u, await pod.Wait(id, "e"));
        Assert.Equal(255u, (await pod.Tasks.DeleteAsync(id, "e", ShimPod.Options, ShimPod.Cancellation)).ExitStatus);
    }

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task A_create_that_fails_leaves_nothing_and_says_why(string runtime)
    {
        await using var pod = new ShimPod(runtime);
        var id = await pod.StartShim("c", ["/bin/missing"]);

        var fault = await Assert.ThrowsAsync<FaultException>(() => pod.Create(id, ""));

        Assert.Contains("/bin/missing", fault.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(pod.Bundle(id), "rootfs/bin")), "the rootfs is unmounted");
        Assert.Equal(FaultKind.NotFound, (await Assert.ThrowsAsync<FaultException>(() => pod.Wait(id))).Fault.Kind);
    }

    [Fact]
    public async Task Kill_ends_the_container_and_killing_it_again_is_NotFound()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);
        var waiting = Enumerable.Range(0, 3).Select(_ => pod.Wait(id)).ToArray();
        var early = await Assert.ThrowsAsync<FaultException>(() => pod.Tasks.DeleteAsync(id, "", ShimPod.Options, ShimPod.Cancellation));
        Assert.Equal(FaultKind.FailedPrecondition, early.Fault.Kind);

        await pod.Tasks.KillAsync(new() { Id = id, Signal = 9, All = true }, ShimPod.Options, ShimPod.Cancellation);

        var exits = await Task.WhenAll(waiting);
        Assert.All(exits, exit => Assert.Equal(137u, exit));
        var again = await Assert.ThrowsAsync<FaultException>(() =>
            pod.Tasks.KillAsync(new() { Id = id, Signal = 9 }, ShimPod.Options, ShimPod.Cancellation));
        Assert.Equal(FaultKind.NotFound, again.Fault.Kind);
    }

    [Fact]
    public async Task A_created_container_that_was_never_started_can_be_deleted()
    {
        await using var pod = new ShimPod();
        var id = await pod.StartShim("c", ["/bin/true"]);
        await pod.Create(id, "");

        await pod.Tasks.DeleteAsync(id, "", ShimPod.Options, ShimPod.Cancellation);

        Assert.Equal(FaultKind.NotFound, (await Assert.ThrowsAsync<FaultException>(() => pod.Wait(id))).Fault.Kind);
    }

    [Theory]
    [InlineData("runc")]
    [InlineData("crun")]
    public async Task A_terminal_has_the_size_it_was_given(string runtime)
    {
        await using var pod = new ShimPod(runtime);
        var id = await pod.StartShim("c", ["/bin/sh", "-c", "read x; stty size"], spec => spec["process"]!["terminal"] = true);
        var stdin = pod.File_("stdin");
        RawIo.MakeFifo(stdin, 0b110_000_000);
        await pod.Create(id, new CriLogUri(pod.Log(id), IsTerminal: true).ToString(), stdin: stdin, terminal: true);
        await pod.Tasks.StartAsync(id, "", ShimPod.Options, ShimPod.Cancellation);
        await pod.Tasks.ResizePtyAsync(new() { Id = id, Width = 132, Height = 43 }, ShimPod.Options, ShimPod.Cancellation);
        await File.WriteAllTextAsync(stdin, "\n", ShimPod.Cancellation);

        Assert.Equal(0u, await pod.Wait(id));
        Assert.Contains(pod.Entries(id), entry => entry.TrimEnd('\r') == "stdout F 43 132");
    }

    [Fact]
    public async Task Stdin_ends_with_CloseIO_and_not_with_a_client_that_goes_away()
    {
        await using var pod = new ShimPod();
        var id = await pod.StartShim("c", ["/bin/cat"]);
        var stdin = pod.File_("stdin");
        RawIo.MakeFifo(stdin, 0b110_000_000);
        await pod.Create(id, new CriLogUri(pod.Log(id)).ToString(), stdin: stdin);
        await pod.Tasks.StartAsync(id, "", ShimPod.Options, ShimPod.Cancellation);
        await File.WriteAllTextAsync(stdin, "one\n", ShimPod.Cancellation);
        await ShimPod.Until(() => pod.Entries(id).Length == 1, "the first client's line is logged");
        await File.WriteAllTextAsync(stdin, "two\n", ShimPod.Cancellation);
        await ShimPod.Until(() => pod.Entries(id).Length == 2, "the second client's line is logged");

        await pod.Tasks.CloseStdinAsync(id, "", ShimPod.Options, ShimPod.Cancellation);

        Assert.Equal(0u, await pod.Wait(id));
        Assert.Equal(["stdout F one", "stdout F two"], pod.Entries(id));
    }

    [Fact]
    public async Task All_output_is_in_the_log_before_the_exit_can_be_seen()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/seq", "1", "30000"]);

        Assert.Equal(0u, await pod.Wait(id));
        Assert.Equal(Enumerable.Range(1, 30000).Select(i => $"stdout F {i}"), pod.Entries(id));
    }

    [Fact]
    public async Task A_grandchild_that_keeps_the_output_open_does_not_hide_the_exit()
    {
        await using var pod = new ShimPod();
        // In the host's pid namespace the grandchild is not ended with its parent by the kernel, but by the shim.
        var id = await pod.Run("c", ["/bin/sh", "-c", "sleep 1000 & echo done"], spec =>
            ((JsonArray)spec["linux"]!["namespaces"]!).RemoveAt(0));

        Assert.Equal(0u, await pod.Wait(id));
        Assert.Equal(["stdout F done"], pod.Entries(id));
        await ShimPod.Until(() => !File.Exists($"/sys/fs/cgroup/pids/actord-shim-test/{id}/cgroup.procs")
            || File.ReadAllText($"/sys/fs/cgroup/pids/actord-shim-test/{id}/cgroup.procs").Length == 0, "the grandchild is gone");
    }

    [Fact]
    public async Task A_log_that_is_rotated_while_written_loses_no_line()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done"]);
        var files = new List<string>();
        var exit = pod.Wait(id);
        while (!exit.IsCompleted && files.Count < 200)
        {
            await ShimPod.Until(() => new FileInfo(pod.Log(id)).Length > 0 || exit.IsCompleted, "there is something to rotate");
            files.Add($"{pod.Log(id)}.{files.Count}");
            File.Move(pod.Log(id), files[^1]);
            await pod.Native.ReopenLogAsync(id, ShimPod.Options, ShimPod.Cancellation);
        }
        await exit;

        var numbers = files.Append(pod.Log(id)).SelectMany(File.ReadAllLines).Select(line => int.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(Enumerable.Range(0, 20000), numbers);
        Assert.True(files.Count > 1);
    }

    [Fact]
    public async Task A_container_over_its_memory_limit_is_marked_before_its_exit_is_told()
    {
        await using var pod = new ShimPod();
        await using var events = pod.ListenForEvents();
        string[] greedy = ["/bin/busybox", "awk", "BEGIN { s = \"xxxxxxxxxxxxxxxx\"; while (1) s = s s }"];
        var id = await pod.Run("c", greedy, spec => spec["linux"]!["resources"] =
            new JsonObject { ["memory"] = new JsonObject { ["limit"] = 16 << 20, ["swap"] = 16 << 20 } });

        Assert.Equal(137u, await pod.Wait(id));
        Assert.True(File.Exists(Path.Combine(pod.Bundle(id), "oom")));
        await ShimPod.Until(() => events.Topics.Contains(TaskTopics.Oom), "the OOM event is forwarded");
    }

    [Fact]
    public async Task Pids_stats_pause_resume_and_update_work_on_a_running_container()
    {
        await using var pod = new ShimPod();
        var id = await pod.Run("c", ["/bin/sleep", "1000"]);
        await pod.Exec(id, "e", ["/bin/sleep", "1000"]);

        var pids = await pod.Tasks.PidsAsync(id, ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal(["", "e"], pids.Processes.Select(process => process.ExecId).Order());
        var stats = await pod.Tasks.StatsAsync(id, ShimPod.Options, ShimPod.Cancellation);
        Assert.StartsWith("io.containerd.cgroups.v", stats.TypeUrl, StringComparison.Ordinal);
        Assert.True(stats.Value.Length > 100);
        await pod.Tasks.UpdateAsync(
            new() { Id = id, Resources = new("", Encoding.UTF8.GetBytes("""{"memory":{"limit":67108864}}""")) }, ShimPod.Options, ShimPod.Cancellation);
        await pod.Tasks.PauseAsync(id, ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal(4u, (await pod.Tasks.StateAsync(id, "", ShimPod.Options, ShimPod.Cancellation)).Status);
        await pod.Tasks.ResumeAsync(id, ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal(2u, (await pod.Tasks.StateAsync(id, "", ShimPod.Options, ShimPod.Cancellation)).Status);
        await pod.Tasks.PauseAsync(id, ShimPod.Options, ShimPod.Cancellation);
        await pod.Tasks.KillAsync(new() { Id = id, Signal = 9 }, ShimPod.Options, ShimPod.Cancellation);
        Assert.Equal(137u, await pod.Wait(id));
    }
}
