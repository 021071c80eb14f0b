using System.Diagnostics;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>actr's streams with the real daemon; a terminal where there is one is that of <c>script</c>, of 80 columns.</summary>
[Collection(KernelCollection.Name)]
public sealed class ActrStreamTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Exec_passes_input_on_and_ends_with_the_commands_code()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var container = await RunAsync(daemon, "exec", "exec sleep 1000");

        var piped = await PipeAsync(daemon, "some words\n", "exec", "-i", container, "sh", "-c", "cat; echo err >&2; exit 7");
        Assert.Equal((7, "some words\n", "err\n"), piped);

        var (code, output) = await TypeAsync(daemon, "echo $((6 * 7)); stty size; exit 4\n", $"exec -it {container} sh");
        Assert.Equal(4, code);
        Assert.Contains("42\r\n", output, StringComparison.Ordinal);
        Assert.Contains("24 80\r\n", output, StringComparison.Ordinal);

        var (missing, _, errors) = await PipeAsync(daemon, "", "exec", "-i", container, "/no/such");
        Assert.Equal(1, missing);
        Assert.Contains("/no/such", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attach_joins_a_container_and_ends_with_its_code()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var container = await RunAsync(daemon, "attach", "read word; echo got $word; exit 6", stdin: true);

        Assert.Equal((6, "got it\n", ""), await PipeAsync(daemon, "it\n", "attach", "-i", container));
    }

    [Fact]
    public async Task Run_takes_input_and_terminals_and_leaves_nothing()
    {
        await using var daemon = await DaemonFixture.StartAsync();

        Assert.Equal((3, "words\n", ""), await PipeAsync(daemon, "words\n", "run", "-i", DaemonFixture.Image, "sh", "-c", "cat; exit 3"));
        var (code, output) = await TypeAsync(daemon, "echo $((6 * 7)); exit 5\n", $"run -it {DaemonFixture.Image} sh");
        Assert.Equal(5, code);
        Assert.Contains("42\r\n", output, StringComparison.Ordinal);
        Assert.Empty((await daemon.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest())).Items);
    }

    private static async Task<string> RunAsync(DaemonFixture daemon, string name, string script, bool stdin = false)
    {
        var pod = daemon.Pod(name);
        var config = daemon.Shell("main", script);
        config.Stdin = config.StdinOnce = stdin; // without StdinOnce an attach ends with its input, before the answer
        return await daemon.RunAsync(await daemon.RunPodAsync(pod), pod, config);
    }

    private static Task<(int Code, string Output, string Errors)> PipeAsync(DaemonFixture daemon, string input, params string[] arguments) =>
        ToEndAsync(new ProcessStartInfo(Artifacts.Cli, ["--address", daemon.Socket, .. arguments]), input);

    private static async Task<(int Code, string Output)> TypeAsync(DaemonFixture daemon, string input, string arguments)
    {
        var command = $"stty cols 80 rows 24; {Artifacts.Cli} --address {daemon.Socket} {arguments}";
        var (code, output, _) = await ToEndAsync(new ProcessStartInfo("script", ["-qec", command, "/dev/null"]), input);
        return (code, output);
    }

    private static async Task<(int Code, string Output, string Errors)> ToEndAsync(ProcessStartInfo start, string input)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Limit, TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
