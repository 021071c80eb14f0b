using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>Exec, attach and port-forward with real containers: daemon, shim, runc and namespaces.</summary>
[Collection(KernelCollection.Name)]
public sealed class StreamingTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>A thousand execs start runc a thousand times.</summary>
    private static readonly TimeSpan StressLimit = TimeSpan.FromMinutes(5);

    /// <summary>What streams may add to the memory of an idle daemon.</summary>
    private const long GrowthKiBMax = 64 * 1024;

    private static bool IsStress => Environment.GetEnvironmentVariable("ACTORD_STRESS") is { Length: > 0 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_exec_reads_its_client_answers_on_both_streams_and_tells_its_code()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var (_, container) = await RunAsync(daemon, "exec", "exec sleep 1000");
        // The first characters of an id are enough.
        await using var session = await ExecAsync(
            daemon, container[..12], ["sh", "-c", "cat; echo err >&2; exit 5"], stdin: true);

        await session.Stdin!.WriteAsync("hello\n");
        await session.Stdin.FinishAsync();

        Assert.Equal("hello\n", await session.Stdout.ReadTextAsync().WaitAsync(Limit, Cancellation));
        Assert.Equal("err\n", await session.Stderr!.ReadTextAsync().WaitAsync(Limit, Cancellation));
        Assert.Equal(5, ExitCodeOf(await session.Error.ReadTextAsync().WaitAsync(Limit, Cancellation)));
    }

    [Fact]
    public async Task An_exec_with_a_terminal_has_the_size_that_came_before_it()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var (_, container) = await RunAsync(daemon, "terminal", "exec sleep 1000");
        var url = (await daemon.Runtime.ExecAsync(new ExecRequest
        {
            ContainerId = container,
            Cmd =
            {
                "sh", "-c",
                "while [ \"$(stty size)\" != '33 111' ]; do :; done; tty; stty size; read line; echo got $line",
            },
            Stdin = true,
            Stdout = true,
            Tty = true,
        })).Url;
        await using var client = (await SpdyClient.ConnectAsync(url, ["v4.channel.k8s.io"])).Start();
        var resize = await client.OpenAsync("resize");
        await resize.WriteAsync("{\"Width\":111,\"Height\":33}");
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");

        await stdin.WriteAsync("word\n");

        var output = await stdout.ReadTextAsync().WaitAsync(Limit, Cancellation);
        Assert.Contains("/dev/pts/", output, StringComparison.Ordinal);
        Assert.Contains("33 111", output, StringComparison.Ordinal);
        Assert.Contains("got word", output, StringComparison.Ordinal);
        Assert.Equal(0, ExitCodeOf(await error.ReadTextAsync()));
    }

    [Fact]
    public async Task A_client_that_goes_leaves_no_process_of_its_exec()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var (_, container) = await RunAsync(daemon, "gone", "exec sleep 1000");
        await using (var session = await ExecAsync(daemon, container, ["sh", "-c", "echo here; sleep 4242; :"]))
        {
            Assert.Equal("here\n", await session.Stdout.ReadTextAsync(5).WaitAsync(Limit, Cancellation));
            Assert.Contains("sleep 4242", await ProcessesAsync(), StringComparison.Ordinal);
            session.Client.Abort();
        }

        await Eventually.AsyncTrue(
            async () => !(await ProcessesAsync()).Contains("sleep 4242", StringComparison.Ordinal), Limit,
            () => $"the command still runs:\n{daemon.Log}");

        async Task<string> ProcessesAsync() => (await daemon.ExecAsync(container, "ps")).Stdout.ToStringUtf8();
    }

    [Fact]
    public async Task Megabytes_through_an_exec_come_back_as_they_were()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var (_, container) = await RunAsync(daemon, "bulk", "exec sleep 1000");
        await using var session = await ExecAsync(daemon, container, ["cat"], stdin: true);
        var data = new byte[16 << 20];
        new Random(7).NextBytes(data);

        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < data.Length; i += 32768) await session.Stdin!.WriteAsync(data.AsMemory(i, 32768));
            await session.Stdin!.FinishAsync();
        }, Cancellation);

        var came = await session.Stdout.ReadToEndAsync().WaitAsync(Limit, Cancellation);
        Assert.Equal(SHA256.HashData(data), SHA256.HashData(came));
        await writing;
        Assert.Equal(0, ExitCodeOf(await session.Error.ReadTextAsync()));
    }

    [Fact]
    public async Task Many_execs_at_once_each_get_their_own_answer_and_cost_the_daemon_little()
    {
        var count = IsStress ? 1000 : 20;
        await using var daemon = await DaemonFixture.StartAsync();
        var (_, container) = await RunAsync(daemon, "many", "exec sleep 1000");
        await AnswerAsync(0, Task.CompletedTask, () => { });
        var idle = ProcessMemory.Of(daemon.Pid);
        var running = 0;
        var allRun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var measured = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var answers = Task.WhenAll(Enumerable.Range(0, count).Select(i => AnswerAsync(i, measured.Task, () =>
        {
            if (Interlocked.Increment(ref running) == count) allRun.SetResult();
        })));
        // A failed one would be waited for in vain.
        await (await Task.WhenAny(answers, allRun.Task).WaitAsync(StressLimit, Cancellation));
        var busy = ProcessMemory.Of(daemon.Pid);
        measured.SetResult();

        Assert.Equal(
            Enumerable.Range(0, count).Select(i => ($"number {i}\n", i % 100)),
            await answers.WaitAsync(StressLimit, Cancellation));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} execs: idle {idle}, busy {busy}, after {ProcessMemory.Of(daemon.Pid)}");
        Assert.InRange(busy.PssKiB - idle.PssKiB, long.MinValue, GrowthKiBMax);

        async Task<(string, int)> AnswerAsync(int i, Task answer, Action isRunning)
        {
            var script = $"echo here; read x; echo $x; exit {i % 100}";
            await using var session = await ExecAsync(daemon, container, ["sh", "-c", script], stdin: true);
            Assert.Equal("here\n", await session.Stdout.ReadTextAsync(5));
            isRunning();
            await answer;
            await session.Stdin!.WriteAsync($"number {i}\n");
            return (await session.Stdout.ReadTextAsync(), ExitCodeOf(await session.Error.ReadTextAsync()));
        }
    }

    [Fact]
    public async Task A_websocket_runs_a_command_and_ends_its_input_with_the_close_channel()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var (_, container) = await RunAsync(daemon, "websocket", "exec sleep 1000");
        var exec = new ExecRequest { ContainerId = container, Cmd = { "wc", "-c" }, Stdin = true, Stdout = true };
        var url = (await daemon.Runtime.ExecAsync(exec)).Url;
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v5.channel.k8s.io");
        await socket.ConnectAsync(new Uri(url.Replace("http:", "ws:", StringComparison.Ordinal)), Cancellation);

        await socket.SendAsync("\0twelve bytes"u8.ToArray(), WebSocketMessageType.Binary, true, Cancellation);
        await socket.SendAsync(new byte[] { 255, 0 }, WebSocketMessageType.Binary, true, Cancellation);

        var channels = new Dictionary<byte, string>();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, Cancellation).WaitAsync(Limit)
            is { MessageType: not WebSocketMessageType.Close } piece)
        {
            var text = Encoding.UTF8.GetString(buffer, 1, piece.Count - 1);
            channels[buffer[0]] = channels.GetValueOrDefault(buffer[0], "") + text;
        }
        Assert.Equal("12\n", channels[1]);
        Assert.Equal(0, ExitCodeOf(channels[3]));
    }

    [Fact]
    public async Task An_attach_talks_to_the_container_and_leaves_it_running()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("attach");
        var podId = await daemon.RunPodAsync(pod);
        var shell = daemon.Shell("main", "while read line; do echo \"<$line>\"; done");
        shell.Stdin = true;
        var container = await daemon.RunAsync(podId, pod, shell);
        for (var i = 0; i < 2; i++)
        {
            var attach = new AttachRequest { ContainerId = container, Stdin = true, Stdout = true };
            var url = (await daemon.Runtime.AttachAsync(attach)).Url;
            await using var client = (await SpdyClient.ConnectAsync(url, ["v4.channel.k8s.io"])).Start();
            await client.OpenAsync("error");
            var stdin = await client.OpenAsync("stdin");
            var stdout = await client.OpenAsync("stdout");
            await stdin.WriteAsync($"line {i}\n");
            Assert.Equal($"<line {i}>\n", await stdout.ReadTextAsync(9).WaitAsync(Limit, Cancellation));
            client.Abort();
        }

        Assert.Equal(ContainerState.ContainerRunning, (await daemon.StatusAsync(container)).State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_its_input_an_attach_ends_unless_stdin_once_has_the_container_tell_more(bool once)
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var pod = daemon.Pod("detach");
        var podId = await daemon.RunPodAsync(pod);
        var shell = daemon.Shell("main", "cat; sleep 1; echo bye");
        (shell.Stdin, shell.StdinOnce) = (true, once);
        var container = await daemon.RunAsync(podId, pod, shell);
        var attach = new AttachRequest { ContainerId = container, Stdin = true, Stdout = true };
        var url = (await daemon.Runtime.AttachAsync(attach)).Url;
        await using var client = (await SpdyClient.ConnectAsync(url, ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        await stdin.WriteAsync("hello\n");
        Assert.Equal("hello\n", await stdout.ReadTextAsync(6).WaitAsync(Limit, Cancellation));
        await stdin.FinishAsync();

        Assert.Equal(once ? "bye\n" : "", await stdout.ReadTextAsync().WaitAsync(Limit, Cancellation));
        Assert.Contains("Success", await error.ReadTextAsync().WaitAsync(Limit, Cancellation), StringComparison.Ordinal);
        if (!once) Assert.Equal(ContainerState.ContainerRunning, (await daemon.StatusAsync(container)).State);
    }

    [Theory]
    [InlineData(NamespaceMode.Pod)]
    [InlineData(NamespaceMode.Node)]
    public async Task Port_forward_reaches_localhost_of_the_pod(NamespaceMode network)
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var (client, port) = await ForwardAsync(daemon, network);
        await using var connection = client;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
            Assert.True(await EchoesAsync(client, port, $"part {i}", 1 << 20))));
    }

    [Fact]
    public async Task Bulk_through_a_port_forward_comes_back_as_it_was_and_costs_the_daemon_little()
    {
        var length = IsStress ? 1L << 30 : 16L << 20;
        await using var daemon = await DaemonFixture.StartAsync();
        var (client, port) = await ForwardAsync(daemon, NamespaceMode.Pod);
        await using var connection = client;
        var idle = ProcessMemory.Of(daemon.Pid);
        (string, string)[] headers = [("port", port.ToString(CultureInfo.InvariantCulture)), ("requestID", "bulk")];
        var error = await client.OpenAsync("error", headers);
        await error.FinishAsync();
        var data = await client.OpenAsync("data", headers);
        var peak = idle;
        var clock = Stopwatch.StartNew();

        var writing = WriteAsync();
        using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        var count = 0L;
        while (await data.Output.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(Limit, Cancellation)
            is > 0 and var read)
        {
            received.AppendData(buffer, 0, read);
            // Not after every piece: looking takes longer than moving it.
            if (count / (length / 64) != (count + read) / (length / 64))
                peak = ProcessMemory.Larger(peak, ProcessMemory.Of(daemon.Pid));
            count += read;
        }

        Assert.Equal(length, count);
        Assert.Equal(await writing, received.GetHashAndReset());
        Assert.Equal("", await error.ReadTextAsync().WaitAsync(Limit, Cancellation));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{length >> 20} MiB each way in {clock.Elapsed.TotalSeconds:0.0} s: idle {idle}, peak {peak}");
        Assert.InRange(peak.PssKiB - idle.PssKiB, long.MinValue, GrowthKiBMax);

        async Task<byte[]> WriteAsync()
        {
            using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var random = new Random(11);
            for (var i = 0L; i < length; i += 32768)
            {
                var piece = new byte[32768];
                random.NextBytes(piece);
                sent.AppendData(piece);
                await data.WriteAsync(piece);
            }
            await data.FinishAsync();
            return sent.GetHashAndReset();
        }
    }

    [Fact]
    public async Task What_cannot_be_streamed_is_refused_with_the_right_code()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        var (podId, container) = await RunAsync(daemon, "refused", "exit 0");
        await daemon.ExitedAsync(container);
        var exec = new ExecRequest { ContainerId = container, Cmd = { "true" }, Stdout = true };
        var attach = new AttachRequest { ContainerId = container, Stdout = true };
        var forward = new PortForwardRequest { PodSandboxId = podId };

        await RefusedAsync(StatusCode.FailedPrecondition, () => daemon.Runtime.ExecAsync(exec));
        await RefusedAsync(StatusCode.FailedPrecondition, () => daemon.Runtime.AttachAsync(attach));
        await daemon.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = podId });
        await RefusedAsync(StatusCode.FailedPrecondition, () => daemon.Runtime.PortForwardAsync(forward));
    }

    private static async Task RefusedAsync<T>(StatusCode code, Func<AsyncUnaryCall<T>> call) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(async () => await call())).StatusCode);

    private static async Task<(string PodId, string ContainerId)> RunAsync(
        DaemonFixture daemon, string name, string script)
    {
        var pod = daemon.Pod(name);
        var podId = await daemon.RunPodAsync(pod);
        return (podId, await daemon.RunAsync(podId, pod, daemon.Shell("main", script)));
    }

    private static async Task<ExecSession> ExecAsync(
        DaemonFixture daemon, string container, string[] command, bool stdin = false)
    {
        var url = (await daemon.Runtime.ExecAsync(new ExecRequest
        {
            ContainerId = container,
            Cmd = { command },
            Stdin = stdin,
            Stdout = true,
            Stderr = true,
        })).Url;
        var client = (await SpdyClient.ConnectAsync(url, ["v4.channel.k8s.io"])).Start();
        return new ExecSession(
            client, await client.OpenAsync("error"), stdin ? await client.OpenAsync("stdin") : null,
            await client.OpenAsync("stdout"), await client.OpenAsync("stderr"));
    }

    /// <summary>A connection to a pod with a server that echoes.</summary>
    private static async Task<(SpdyClient Client, int Port)> ForwardAsync(DaemonFixture daemon, NamespaceMode network)
    {
        var pod = daemon.Pod("forward");
        pod.Linux.SecurityContext.NamespaceOptions.Network = network;
        var port = 20_000 + (Environment.ProcessId % 10_000);
        var podId = await daemon.RunPodAsync(pod);
        var server = daemon.Shell("main", $"exec nc -ll -p {port} -e cat");
        server.Linux.SecurityContext.NamespaceOptions.Network = network;
        await daemon.RunAsync(podId, pod, server);
        var request = new PortForwardRequest { PodSandboxId = podId[..12], Port = { port } };
        var url = (await daemon.Runtime.PortForwardAsync(request)).Url;
        var client = (await SpdyClient.ConnectAsync(url, ["portforward.k8s.io"])).Start();

        // Until the server listens, a dial is refused in words.
        var tries = 0;
        await Eventually.AsyncTrue(
            async () => await EchoesAsync(client, port, $"try {tries++}", 10), Limit, () => "nobody listens");
        return (client, port);
    }

    private static async Task<bool> EchoesAsync(SpdyClient client, int port, string request, int bytes)
    {
        (string, string)[] headers = [("port", port.ToString(CultureInfo.InvariantCulture)), ("requestID", request)];
        var error = await client.OpenAsync("error", headers);
        await error.FinishAsync();
        var data = await client.OpenAsync("data", headers);
        var sent = RandomNumberGenerator.GetBytes(bytes);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < bytes; i += 32768) await data.WriteAsync(sent.AsMemory(i, Math.Min(32768, bytes - i)));
        }, Cancellation);
        var got = new byte[bytes];
        var count = await data.Output.ReadAtLeastAsync(got, bytes, throwOnEndOfStream: false, Cancellation)
            .AsTask().WaitAsync(Limit, Cancellation);
        await writing;
        await data.ResetAsync();
        var said = await error.ReadTextAsync().WaitAsync(Limit, Cancellation);
        Assert.Equal(count == bytes, said.Length == 0);
        return count == bytes && got.AsSpan().SequenceEqual(sent);
    }

    /// <summary>0 for success.</summary>
    private static int ExitCodeOf(string status)
    {
        var json = JsonDocument.Parse(status).RootElement;
        if (json.GetProperty("status").GetString() == "Success") return 0;
        var cause = json.GetProperty("details").GetProperty("causes")[0];
        return int.Parse(cause.GetProperty("message").GetString()!, CultureInfo.InvariantCulture);
    }

    private sealed record ExecSession(
        SpdyClient Client, SpdyClientStream Error, SpdyClientStream? Stdin, SpdyClientStream Stdout,
        SpdyClientStream? Stderr)
        : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Client.DisposeAsync();
    }
}
