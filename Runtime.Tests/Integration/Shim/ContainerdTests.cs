using System.Diagnostics;
using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Shim;

/// <summary>Our shim under containerd itself (Debian's 1.6), which knows neither BootstrapParams nor task v3.</summary>
[Collection(KernelCollection.Name)]
public sealed class ContainerdTests : IAsyncLifetime
{
    private const string Runtime = "io.containerd.actor.v1";

    private readonly TempDirectory _directory = new();
    private Process _containerd = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_directory["rootfs/bin"]);
        foreach (var each in (string[])["proc", "dev", "sys", "etc", "tmp"])
            Directory.CreateDirectory(_directory[$"rootfs/{each}"]);
        File.Copy("/bin/busybox", _directory["rootfs/bin/busybox"]);
        foreach (var applet in (string[])["sh", "sleep", "echo", "cat"])
            File.CreateSymbolicLink(_directory[$"rootfs/bin/{applet}"], "busybox");
        await File.WriteAllTextAsync(_directory["config.toml"], "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n");
        var start = new ProcessStartInfo("containerd")
        {
            ArgumentList =
            {
                "--config", _directory["config.toml"], "--root", _directory["root"], "--state", _directory["state"],
                "--address", _directory["c.sock"],
            },
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{Artifacts.Bin}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["ACTORD_SHIM_SOCKET_DIR"] = _directory["s"];
        _containerd = Process.Start(start)!;
        _containerd.ErrorDataReceived += (_, _) => { };
        _containerd.BeginErrorReadLine();
        await ShimPod.Until(() => File.Exists(_directory["c.sock"]), "containerd listens");
    }

    public async ValueTask DisposeAsync()
    {
        _containerd.Kill();
        await _containerd.WaitForExitAsync();
        _containerd.Dispose();
        Mounter.UnmountTree(_directory.Path, lazy: true);
        _directory.Dispose();
    }

    [Fact]
    public async Task Ctr_runs_prints_and_reports_the_exit_code()
    {
        var (code, output) = await Ctr("run", "--rm", "--runtime", Runtime, "--rootfs", _directory["rootfs"], "t1", "/bin/sh", "-c", "echo hello; exit 7");

        Assert.Equal((7, "hello\n"), (code, output));
    }

    [Fact]
    public async Task Ctr_execs_in_a_running_container_and_deletes_it_with_its_shim()
    {
        await Done("run", "-d", "--runtime", Runtime, "--rootfs", _directory["rootfs"], "t2", "/bin/sleep", "1000");
        var pid = (await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(
            _directory["state/io.containerd.runtime.v2.task/default/t2"], "shim.pid")), ShimPod.Cancellation)).Trim();

        Assert.Equal((3, "in exec\n"), await Ctr("task", "exec", "--exec-id", "e", "t2", "/bin/sh", "-c", "echo in exec; exit 3"));
        Assert.Contains("RUNNING", await Done("task", "ls"), StringComparison.Ordinal);
        await Done("task", "kill", "-s", "SIGKILL", "t2");
        await ShimPod.Until(() => Ctr("task", "ls").GetAwaiter().GetResult().Output.Contains("STOPPED", StringComparison.Ordinal), "the kill took effect");
        await Done("task", "rm", "t2");
        await Done("container", "rm", "t2");

        await ShimPod.Until(() => !Directory.Exists($"/proc/{pid}"), "the shim has ended");
    }

    [Fact]
    public async Task Output_is_not_lost_when_the_container_ends_at_once()
    {
        var (code, output) = await Ctr(
            "run", "--rm", "--runtime", Runtime, "--rootfs", _directory["rootfs"], "t3", "/bin/busybox", "seq", "1", "20000");

        Assert.Equal(0, code);
        Assert.Equal(string.Concat(Enumerable.Range(1, 20000).Select(i => $"{i}\n")), output);
    }

    [Fact]
    public async Task Every_subcommand_of_task_works()
    {
        await Done("run", "-d", "--runtime", Runtime, "--rootfs", _directory["rootfs"], "t4", "/bin/sleep", "1000");
        Assert.Matches(@"t4 +\d+ +RUNNING", await Done("task", "list"));
        Assert.Matches(@"\n\d+ ", await Done("task", "ps", "t4"));
        Assert.Contains("memory", await Done("task", "metrics", "t4"), StringComparison.Ordinal);
        await Done("task", "pause", "t4");
        Assert.Matches(@"t4 +\d+ +PAUSED", await Done("task", "ls"));
        await Done("task", "resume", "t4");
        Assert.Matches(@"t4 +\d+ +RUNNING", await Done("task", "ls"));
        // CRIU says why where it does not work; a shim that does not know the call would say something else.
        var (code, output) = await Ctr("task", "checkpoint", "--image-path", _directory["checkpoint"], "t4");
        Assert.True(code == 0 || output.Contains("checkpoint failed", StringComparison.Ordinal), output);
        Assert.Matches(@"t4 +\d+ +RUNNING", await Done("task", "ls"));
        var attached = Ctr("task", "attach", "t4");
        await Done("task", "kill", "-a", "-s", "SIGKILL", "t4");
        Assert.Equal(137, (await attached).Code);
        await Ctr("task", "delete", "t4");
        await Done("task", "start", "-d", "t4");
        await Done("task", "kill", "-s", "SIGKILL", "t4");
        await ShimPod.Until(() => Ctr("task", "ls").GetAwaiter().GetResult().Output.Contains("STOPPED", StringComparison.Ordinal), "the kill took effect");
        await Ctr("task", "rm", "t4");
        await Done("container", "rm", "t4");
    }

    [Fact]
    public async Task Output_goes_to_a_program_or_a_file_where_a_log_uri_says_so()
    {
        await File.WriteAllTextAsync(_directory["logger"], "#!/bin/sh\nexec 5>&-\n{ cat <&3; echo \"$CONTAINER_ID\"; } > \"$2\"\n", ShimPod.Cancellation);
        await Tool.RunAsync("chmod", "+x", _directory["logger"]);

        var program = $"binary://{_directory["logger"]}?to={_directory["logged"]}";
        await Done("run", "-d", "--runtime", Runtime, "--log-uri", program, "--rootfs", _directory["rootfs"], "t5", "/bin/echo", "hello");
        var file = $"file://{_directory["logs/file"]}";
        await Done("run", "-d", "--runtime", Runtime, "--log-uri", file, "--rootfs", _directory["rootfs"], "t6", "/bin/echo", "hello");

        await ShimPod.Until(() => File.Exists(_directory["logged"]) && File.ReadAllText(_directory["logged"]) == "hello\nt5\n", "the program has logged");
        await ShimPod.Until(() => File.Exists(_directory["logs/file"]) && File.ReadAllText(_directory["logs/file"]) == "hello\n", "the file has the output");
        foreach (var id in (string[])["t5", "t6"])
        {
            await Done("task", "rm", id);
            await Done("container", "rm", id);
        }
    }

    private async Task<string> Done(params string[] arguments)
    {
        var (code, output) = await Ctr(arguments);
        Assert.True(code == 0, $"ctr {string.Join(' ', arguments)}: exit code {code}: {output}");
        return output;
    }

    private async Task<(int Code, string Output)> Ctr(params string[] arguments)
    {
        var start = new ProcessStartInfo("ctr", ["--address", _directory["c.sock"], .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }

}
