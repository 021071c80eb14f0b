using System.Diagnostics;
using System.Text.Json;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>Debian's ctr runs containers on the daemon, with our shim and with containerd's own.</summary>
[Collection(KernelCollection.Name)]
public sealed class CtrTaskTests : IAsyncLifetime
{
    private const string Ours = "io.containerd.runc.v2";
    private const string Foreign = "/usr/bin/containerd-shim-runc-v2";

    private readonly TempDirectory _directory = new();
    private DaemonFixture _daemon = null!;

    public static TheoryData<string> Runtimes => [Ours, Foreign];

    private string Rootfs => _directory["rootfs"];

    private string Bundles => Path.Combine(_daemon.State, "io.containerd.runtime.v2.task", "default");

    public async ValueTask InitializeAsync()
    {
        foreach (var each in (string[])["bin", "proc", "dev", "sys", "etc", "tmp"]) Directory.CreateDirectory(Path.Combine(Rootfs, each));
        File.Copy("/bin/busybox", Path.Combine(Rootfs, "bin/busybox"));
        foreach (var applet in (string[])["sh", "sleep", "echo", "cat", "pwd", "ls", "stty", "kill", "ip"])
            File.CreateSymbolicLink(Path.Combine(Rootfs, "bin", applet), "busybox");
        _daemon = await DaemonFixture.StartAsync(withImage: false);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (var task in Lines(await Done("task", "ls", "-q"))) await Ctr("task", "rm", "-f", task);
            foreach (var container in Lines(await Done("container", "ls", "-q"))) await Ctr("container", "rm", container);
            await Eventually.True(
                () => !Directory.Exists(Bundles) || Directory.GetFileSystemEntries(Bundles).Length == 0, TimeSpan.FromSeconds(10),
                () => $"bundles are left:\n{string.Join('\n', Directory.GetFileSystemEntries(Bundles))}\n{_daemon.Log}");
        }
        finally
        {
            await _daemon.DisposeAsync();
            _directory.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Run_prints_the_output_and_exits_with_its_code(string runtime)
    {
        Assert.Equal((7, "hello\n"), await Ctr(Run("--rm", runtime, "t", "/bin/sh", "-c", "echo hello; exit 7")));
        Assert.Empty(Lines(await Done("container", "ls", "-q")));
        var (code, output) = await Ctr(Run("--rm", runtime, "t", "/bin/busybox", "seq", "1", "20000"));
        Assert.Equal((0, string.Concat(Enumerable.Range(1, 20000).Select(i => $"{i}\n"))), (code, output));
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Run_takes_its_flags(string runtime)
    {
        Directory.CreateDirectory(_directory["mounted"]);
        await File.WriteAllTextAsync(_directory["mounted/file"], "from the host\n", TestContext.Current.CancellationToken);
        const string Script = "echo $GREETING; pwd; cat /mnt/file; ls /sys/class/net | wc -l; exec sleep 1000";
        await Done(Run(
            ["-d", "--log-uri", $"file://{_directory["out"]}", "--env", "GREETING=hi", "--cwd", "/tmp", "--memory-limit", "67108864",
                "--net-host", "--pid-file", _directory["pid"], "--mount", $"type=bind,src={_directory["mounted"]},dst=/mnt,options=rbind:ro"],
            runtime, "t", "/bin/busybox", "sh", "-c", Script.Replace("wc", "busybox wc", StringComparison.Ordinal)));

        string[] lines = [];
        await Eventually.True(
            () => File.Exists(_directory["out"]) && (lines = File.ReadAllLines(_directory["out"])).Length == 4, TimeSpan.FromSeconds(10), () => _daemon.Log);
        Assert.Equal(["hi", "/tmp", "from the host"], lines[..3]);
        using var metrics = JsonDocument.Parse(await Done("task", "metrics", "--format", "json", "t"));
        Assert.Equal(67108864u, metrics.RootElement.GetProperty("memory").GetProperty("usage").GetProperty("limit").GetUInt64());
        Assert.True(int.Parse(File.ReadAllText(_directory["pid"]), System.Globalization.CultureInfo.InvariantCulture) > 1);
        Assert.True(int.Parse(lines[^1].Trim(), System.Globalization.CultureInfo.InvariantCulture) > 1, "the host's interfaces are seen");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Output_goes_to_a_file_where_a_log_uri_says_so(string runtime)
    {
        await Done(Run(["-d", "--log-uri", $"file://{_directory["logs/out"]}"], runtime, "t", "/bin/sh", "-c", "echo out; echo err >&2"));

        await Eventually.True(
            () => File.Exists(_directory["logs/out"]) && File.ReadAllLines(_directory["logs/out"]).Order().SequenceEqual(["err", "out"]),
            TimeSpan.FromSeconds(10), () => _daemon.Log);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Output_goes_to_a_program_where_a_log_uri_says_so(string runtime)
    {
        await File.WriteAllTextAsync(_directory["logger"], """
            #!/bin/sh
            exec 5>&-
            { echo "$CONTAINER_NAMESPACE/$CONTAINER_ID"; cat <&3 & cat <&4; wait; } > "$2"
            """, TestContext.Current.CancellationToken);
        await Tool.RunAsync("chmod", "+x", _directory["logger"]);
        var program = $"binary://{_directory["logger"]}?to={_directory["logged"]}";
        await Done(Run(["-d", "--log-uri", program], runtime, "t", "/bin/sh", "-c", "echo out; echo err >&2"));

        await Eventually.True(
            () => File.Exists(_directory["logged"]) && File.ReadAllLines(_directory["logged"]).Order().SequenceEqual(["default/t", "err", "out"]),
            TimeSpan.FromSeconds(10), () => _daemon.Log);
    }

    [Fact]
    public async Task A_checkpoint_is_written_into_a_directory_and_a_task_is_made_of_one()
    {
        // CRIU does not work on every kernel: this runtime stands for it, and does the rest for real.
        await File.WriteAllTextAsync(_directory["runc"], """
            #!/bin/bash
            global=() image= bundle= pid=
            while [[ $1 == --* ]]; do case $1 in --systemd-cgroup) global+=("$1"); shift;; *) global+=("$1" "$2"); shift 2;; esac; done
            case $1 in
            checkpoint|restore)
                command=$1; id=${!#}; shift
                while [[ $# -gt 1 ]]; do case $1 in
                    --image-path) image=$2; shift 2;; --bundle) bundle=$2; shift 2;; --pid-file) pid=$2; shift 2;; --work-path) shift 2;; *) shift;; esac; done
                if [[ $command == checkpoint ]]; then mkdir -p "$image" && echo "state of $id" > "$image/pages"; exit; fi
                [[ -f $image/pages ]] && runc "${global[@]}" create --bundle "$bundle" --pid-file "$pid" "$id" && exec runc "${global[@]}" start "$id";;
            *) exec runc "${global[@]}" "$@";;
            esac
            """, TestContext.Current.CancellationToken);
        await Tool.RunAsync("chmod", "+x", _directory["runc"]);
        await Done(Run(["-d", "--runc-binary", _directory["runc"]], Ours, "t", "/bin/sleep", "1000"));

        await Done("task", "checkpoint", "--image-path", _directory["image"], "t");
        Assert.Equal("state of t\n", await File.ReadAllTextAsync(_directory["image/pages"], TestContext.Current.CancellationToken));
        await Done("task", "kill", "-s", "SIGKILL", "t");
        await StatusAsync("t", "STOPPED");
        await Ctr("task", "rm", "t");

        var tasks = new Containerd.Services.Tasks.V1.Tasks.TasksClient(_daemon.Channel);
        var headers = new global::Grpc.Core.Metadata { { "containerd-namespace", "default" } };
        var options = new Containerd.Runc.V1.Options { BinaryName = _directory["runc"], CriuImagePath = _directory["image"] };
        await tasks.CreateAsync(
            new() { ContainerId = "t", Options = new() { TypeUrl = "containerd.runc.v1.Options", Value = Google.Protobuf.MessageExtensions.ToByteString(options) } },
            headers);
        Assert.True((await tasks.StartAsync(new() { ContainerId = "t" }, headers)).Pid > 1);
        Assert.Equal((3, ""), await Ctr("task", "exec", "--exec-id", "e", "t", "/bin/sh", "-c", "exit 3"));
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_terminal_is_one_on_both_sides(string runtime)
    {
        // script(1) gives ctr a terminal of its own.
        const string Script = "\"test -t 0 && test -t 1 && echo a terminal; exit 4\"";
        var line = string.Join(' ', ["ctr", "--address", _daemon.Socket, .. Run(["--rm", "-t"], runtime, "t", "/bin/sh", "-c", Script)]);
        var (code, output) = await RunAsync("script", "-qec", line, "/dev/null");

        Assert.Equal(4, code);
        Assert.Contains("a terminal", output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Every_subcommand_of_task_works(string runtime)
    {
        await Done(Run("-d", runtime, "t", "/bin/sleep", "1000"));
        Assert.Equal((3, "in exec\n"), await Ctr("task", "exec", "--exec-id", "e", "t", "/bin/sh", "-c", "echo in exec; exit 3"));
        Assert.Equal((0, "input"), await Ctr("input", ["task", "exec", "--exec-id", "e2", "t", "/bin/cat"]));

        Assert.Matches(@"t +\d+ +RUNNING", await Done("task", "ls"));
        Assert.Matches(@"\n\d+ ", await Done("task", "ps", "t"));
        using var metrics = JsonDocument.Parse(await Done("task", "metrics", "--format", "json", "t"));
        Assert.True(metrics.RootElement.TryGetProperty("memory", out _));
        await Done("task", "pause", "t");
        Assert.Matches(@"t +\d+ +PAUSED", await Done("task", "ls"));
        Assert.NotEqual(0, (await Ctr("task", "rm", "t")).Code);
        await Done("task", "resume", "t");
        Assert.Matches(@"t +\d+ +RUNNING", await Done("task", "ls"));

        await Done("task", "kill", "-s", "SIGKILL", "t");
        await StatusAsync("t", "STOPPED");
        Assert.Contains("137", (await Ctr("task", "rm", "t")).Output, StringComparison.Ordinal);
        Assert.Empty(Lines(await Done("task", "ls", "-q")));
        Assert.NotEqual(0, (await Ctr("task", "kill", "t")).Code);

        // The same container again.
        await Done("task", "start", "-d", "t");
        await Done("task", "kill", "-a", "-s", "SIGKILL", "t");
        await StatusAsync("t", "STOPPED");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task Attach_follows_to_the_end(string runtime)
    {
        await Done(Run("-d", runtime, "t", "/bin/sh", "-c", "while ! test -e /tmp/go; do sleep 0.1; done; exit 9"));
        var attached = Ctr("task", "attach", "t");
        await File.WriteAllTextAsync(Path.Combine(Rootfs, "tmp/go"), "", TestContext.Current.CancellationToken);

        Assert.Equal(9, (await attached).Code);
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_task_outlives_the_daemon_and_its_end_is_not_missed(string runtime)
    {
        await Done(Run("-d", runtime, "lives", "/bin/sleep", "1000"));
        await Done(Run("-d", runtime, "ends", "/bin/sh", "-c", "while ! test -e /tmp/go; do sleep 0.1; done; exit 9"));
        var before = await Done("task", "ls");

        await _daemon.KillDaemonAsync();
        await File.WriteAllTextAsync(Path.Combine(Rootfs, "tmp/go"), "", TestContext.Current.CancellationToken);
        var exited = PidOf(before, "ends");
        await Eventually.True(() => !Directory.Exists($"/proc/{exited}"), TimeSpan.FromSeconds(10), () => "it does not end");
        await _daemon.StartDaemonAsync();

        await StatusAsync("ends", "STOPPED");
        Assert.Equal(PidOf(before, "lives"), PidOf(await Done("task", "ls"), "lives"));
        Assert.Equal((3, ""), await Ctr("task", "exec", "--exec-id", "e", "lives", "/bin/sh", "-c", "exit 3"));
        Assert.Contains("9", (await Ctr("task", "rm", "ends")).Output, StringComparison.Ordinal);
        await Done("task", "rm", "-f", "lives");
    }

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task A_shim_that_dies_ends_its_task_and_nothing_is_left(string runtime)
    {
        await Done(Run("-d", runtime, "t", "/bin/sleep", "1000"));
        foreach (var shim in Shims()) await Tool.RunAsync("kill", "-KILL", $"{shim}");

        await StatusAsync("t", "STOPPED");
        await Ctr("task", "rm", "t");
        Assert.Empty(Lines(await Done("task", "ls", "-q")));
        Assert.Empty(Shims());
    }

    [Fact]
    public async Task A_task_that_cannot_be_made_leaves_nothing()
    {
        var (code, output) = await Ctr(Run("-d", Ours, "t", "/bin/missing"));
        Assert.NotEqual(0, code);
        Assert.Contains("missing", output, StringComparison.Ordinal);
        Assert.Empty(Lines(await Done("task", "ls", "-q")));

        (code, output) = await Ctr(Run("-d", "io.containerd.none.v1", "u", "/bin/sleep", "1"));
        Assert.NotEqual(0, code);
        Assert.Contains("containerd-shim-none-v1", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Bundles, "u")));
    }

    private static string[] Run(string flag, string runtime, string id, params string[] command) => Run([flag], runtime, id, command);

    private static string[] Run(string[] flags, string runtime, string id, params string[] command) =>
        ["run", .. flags, "--runtime", runtime, "--rootfs", "ROOTFS", id, .. command];

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string PidOf(string list, string id) =>
        list.Split('\n').Single(line => line.StartsWith($"{id} ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];

    private IEnumerable<int> Shims() => Directory.EnumerateDirectories("/proc")
        .Select(directory => int.TryParse(Path.GetFileName(directory), out var pid) ? pid : 0)
        .Where(pid => pid > 0 && CommandLine(pid) is var line && line.Contains("containerd-shim", StringComparison.Ordinal)
            && line.Contains(_daemon.State, StringComparison.Ordinal));

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return ""; // ended while we looked
        }
    }

    private Task StatusAsync(string id, string status) => Eventually.AsyncTrue(
        async () => (await Done("task", "ls")).Split('\n').Any(line => line.StartsWith($"{id} ", StringComparison.Ordinal) && line.Contains(status, StringComparison.Ordinal)),
        TimeSpan.FromSeconds(15), () => $"task {id} does not become {status}:\n{_daemon.Log}");

    private async Task<string> Done(params string[] arguments)
    {
        var (code, output) = await Ctr(arguments);
        Assert.True(code == 0, $"ctr {string.Join(' ', arguments)}: exit code {code}: {output}\n{_daemon.Log}");
        return output;
    }

    private Task<(int Code, string Output)> Ctr(params string[] arguments) => Ctr(null, arguments);

    private Task<(int Code, string Output)> Ctr(string? input, string[] arguments) =>
        RunAsync("ctr", input, ["--address", _daemon.Socket, .. arguments.Select(argument => argument == "ROOTFS" ? Rootfs : argument)]);

    private Task<(int Code, string Output)> RunAsync(string program, params string[] arguments) =>
        RunAsync(program, null, [.. arguments.Select(argument => argument.Replace("ROOTFS", Rootfs, StringComparison.Ordinal))]);

    private static async Task<(int Code, string Output)> RunAsync(string program, string? input, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, output + await errors);
    }
}
