using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Runtime.Cri.Streaming;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Streaming;

/// <summary>Exec and attach through a real connection, over a process that does what the test says.</summary>
public sealed class RemoteCommandTests
{
    private static readonly TimeSpan Limit = ServerUnderTest.Limit;

    public static TheoryData<string> SpdyVersions => ["v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

    [Theory]
    [MemberData(nameof(SpdyVersions))]
    public async Task Streams_go_both_ways_and_the_exit_code_ends_them_in_every_version(string version)
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Exec(process), [version])).Start();
        Assert.Equal(101, client.Status);
        Assert.Contains($"X-Stream-Protocol-Version: {version}\r\n", client.Head, StringComparison.Ordinal);
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        var stderr = await client.OpenAsync("stderr");

        await stdin.WriteAsync("in");
        await stdin.FinishAsync();
        Assert.Equal("in", await ReadAllAsync(process.ProcessStdin));
        await process.ProcessStdout.WriteAsync("out"u8.ToArray(), TestContext.Current.CancellationToken);
        await process.ProcessStderr.WriteAsync("err"u8.ToArray(), TestContext.Current.CancellationToken);
        process.Exit(3);

        Assert.Equal(("out", "err"), (await stdout.ReadTextAsync(), await stderr.ReadTextAsync()));
        var status = await error.ReadTextAsync();
        if (version is "v5.channel.k8s.io" or "v4.channel.k8s.io")
        {
            var json = JsonDocument.Parse(status).RootElement;
            Assert.Equal(("Failure", "NonZeroExitCode"), (json.GetProperty("status").GetString(), json.GetProperty("reason").GetString()));
            var cause = json.GetProperty("details").GetProperty("causes")[0];
            Assert.Equal(("ExitCode", "3"), (cause.GetProperty("reason").GetString(), cause.GetProperty("message").GetString()));
        }
        else Assert.Equal("command terminated with non-zero exit code: exit code 3", status);
        await process.Disposed.WaitAsync(Limit);
        await Eventually.True(() => client.GoneAway, Limit, () => "no GOAWAY");
    }

    [Fact]
    public async Task Success_is_a_status_in_version_4_and_silence_before()
    {
        await using var server = await ServerUnderTest.StartAsync();

        Assert.Equal("""{"metadata":{},"status":"Success"}""", await OutcomeAsync(server, ["v4.channel.k8s.io"], 0));
        Assert.Equal("", await OutcomeAsync(server, ["v3.channel.k8s.io"], 0));
        Assert.Equal("", await OutcomeAsync(server, [], 0));
    }

    [Fact]
    public async Task The_first_version_that_both_know_is_taken()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Exec(process), ["v9.channel.k8s.io", "v4.channel.k8s.io", "v2.channel.k8s.io"])).Start();

        Assert.Contains("X-Stream-Protocol-Version: v4.channel.k8s.io\r\n", client.Head, StringComparison.Ordinal);
        client.Abort();
    }

    [Fact]
    public async Task A_client_of_unknown_versions_is_refused_and_told_which_are_known()
    {
        await using var server = await ServerUnderTest.StartAsync();
        await using var client = await SpdyClient.ConnectAsync(server.Exec(new FakeSession()), ["v9.channel.k8s.io"]);

        Assert.Equal(403, client.Status);
        Assert.Contains("v5.channel.k8s.io", client.Head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_url_is_good_once_and_only_for_what_it_was_made_for()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var url = server.Exec(new FakeSession());
        await using var wrong = await SpdyClient.ConnectAsync(url.Replace("/exec/", "/attach/", StringComparison.Ordinal), []);
        await using var used = await SpdyClient.ConnectAsync(url, []);
        await using var unknown = await SpdyClient.ConnectAsync($"{server.Server.BaseAddress}/exec/AAAAAAAAAAAAAAAAAAAAAA", []);
        await using var method = await SpdyClient.ConnectAsync(server.Exec(new FakeSession()), [], method: "PUT");

        Assert.Equal((404, 404, 404, 405), (wrong.Status, used.Status, unknown.Status, method.Status));
    }

    [Fact]
    public async Task A_url_ends_after_a_minute()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var url = server.Exec(new FakeSession());
        server.Clock.Advance(StreamTokens.Lifetime);

        await using var late = await SpdyClient.ConnectAsync(url, []);

        Assert.Equal(404, late.Status);
    }

    [Fact]
    public async Task A_request_without_an_upgrade_is_told_to_ask_for_one()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var http = new HttpClient();

        var answer = await http.GetAsync(new Uri(server.Exec(new FakeSession())), TestContext.Current.CancellationToken);

        Assert.Equal(System.Net.HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task What_cannot_be_started_says_why_on_the_error_stream()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var url = server.Refused(new RuntimeFault(FaultKind.FailedPrecondition, "container.wrong-phase", "It has exited."));
        await using var client = (await SpdyClient.ConnectAsync(url, ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        var stdout = await client.OpenAsync("stdout");

        var status = JsonDocument.Parse(await error.ReadTextAsync()).RootElement;

        Assert.Equal(("Failure", "InternalError"), (status.GetProperty("status").GetString(), status.GetProperty("reason").GetString()));
        Assert.Contains("It has exited.", status.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(await stdout.ReadToEndAsync());
    }

    [Fact]
    public async Task A_client_that_goes_takes_its_exec_with_it()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Exec(process), ["v4.channel.k8s.io"])).Start();
        foreach (var type in new[] { "error", "stdin", "stdout", "stderr" }) await client.OpenAsync(type);

        client.Abort();

        await process.Disposed.WaitAsync(Limit);
        await server.NoSessionLeftAsync();
    }

    [Fact]
    public async Task A_client_that_goes_is_noticed_while_its_process_does_not_read()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Exec(process), ["v4.channel.k8s.io"])).Start();
        foreach (var type in new[] { "error", "stdout", "stderr" }) await client.OpenAsync(type);
        var stdin = await client.OpenAsync("stdin");
        var writing = Task.Run(async () =>
        {
            while (true) await stdin.WriteAsync(new byte[32768]);
        }, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<TimeoutException>(() => writing.WaitAsync(TimeSpan.FromMilliseconds(500)));

        client.Abort();

        await Eventually.True(() =>
        {
            server.Clock.Advance(HangupWatch.Interval);
            return process.Disposed.IsCompleted;
        }, Limit, () => "the session is left");
        await Assert.ThrowsAnyAsync<Exception>(() => writing);
    }

    [Fact]
    public async Task Sizes_that_come_before_the_process_reach_it_and_the_newest_counts()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stderr: false);
        var started = new TaskCompletionSource();
        var url = server.Server.Issue(new CommandTicket(true, true, true, false, true, async _ =>
        {
            await started.Task;
            return process;
        }));
        await using var client = (await SpdyClient.ConnectAsync(url, ["v4.channel.k8s.io"])).Start();
        var resize = await client.OpenAsync("resize");
        await resize.WriteAsync("{\"Width\":80,\"Heig");
        await resize.WriteAsync("ht\":24}\n{\"Width\":100,\"Height\":40}\n");
        foreach (var type in new[] { "error", "stdin", "stdout" }) await client.OpenAsync(type);

        started.SetResult();
        await Eventually.True(() => process.Sizes.Contains((100u, 40u)), Limit, () => string.Join(' ', process.Sizes));
        await resize.WriteAsync("{\"Width\":120,\"Height\":50}\n");
        await Eventually.True(() => process.Sizes.Contains((120u, 50u)), Limit, () => string.Join(' ', process.Sizes));
        Assert.Equal((120u, 50u), process.Sizes.Last());
        process.Exit(0);
    }

    [Fact]
    public async Task Nonsense_on_the_resize_stream_leaves_the_session_alone()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Exec(process, stderr: false, terminal: true), ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        foreach (var type in new[] { "stdin", "stdout" }) await client.OpenAsync(type);
        var resize = await client.OpenAsync("resize");
        await resize.WriteAsync("[1,2] }{ \u0001");
        await resize.WriteAsync(new byte[300_000]);

        process.Exit(0);

        Assert.Contains("Success", await error.ReadTextAsync(), StringComparison.Ordinal);
        Assert.Empty(process.Sizes);
    }

    [Fact]
    public async Task A_stream_that_was_not_asked_for_is_refused_and_a_second_of_its_kind_too()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stdin: false, stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Exec(process, stdin: false, stderr: false), ["v4.channel.k8s.io"])).Start();

        Assert.True((await client.OpenAsync("stdin")).WasReset);
        Assert.True((await client.OpenAsync("resize")).WasReset);
        Assert.True((await client.OpenAsync("nonsense")).WasReset);
        var error = await client.OpenAsync("error");
        Assert.True((await client.OpenAsync("error")).WasReset);
        await client.OpenAsync("stdout");
        process.Exit(0);
        Assert.Contains("Success", await error.ReadTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_that_never_come_are_waited_for_only_so_long()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Exec(process), ["v4.channel.k8s.io"])).Start();
        await client.OpenAsync("error");

        server.Clock.Advance(TimeSpan.FromSeconds(30));

        await Eventually.True(() => client.GoneAway, Limit, () => "the connection stays");
        Assert.False(process.Disposed.IsCompleted);
    }

    [Fact]
    public async Task A_connection_on_which_nothing_moves_is_closed()
    {
        await using var server = await ServerUnderTest.StartAsync(new StreamingOptions { IdleTimeout = TimeSpan.FromMinutes(10) });
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Exec(process), ["v4.channel.k8s.io"])).Start();
        foreach (var type in new[] { "error", "stdin", "stderr" }) await client.OpenAsync(type);
        var stdout = await client.OpenAsync("stdout");
        server.Clock.Advance(TimeSpan.FromMinutes(9));
        await process.ProcessStdout.WriteAsync("."u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal(".", await stdout.ReadTextAsync(1).WaitAsync(Limit));
        server.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.False(process.Disposed.IsCompleted);

        server.Clock.Advance(TimeSpan.FromMinutes(2));

        await process.Disposed.WaitAsync(Limit);
        await client.Closed.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_client_that_does_not_read_stops_the_process_and_loses_nothing()
    {
        const int total = 8 << 20;
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stdin: false, stderr: false);
        await using var client = await SpdyClient.ConnectAsync(
            server.Exec(process, stdin: false, stderr: false), ["v4.channel.k8s.io"], receiveBuffer: 64 * 1024);
        client.Start();
        await client.OpenAsync("error");
        var stdout = await client.OpenAsync("stdout");
        var written = 0;
        var data = new byte[total];
        new Random(1).NextBytes(data);
        var writing = Task.Run(async () =>
        {
            for (; written < total; written += 65536)
                await process.ProcessStdout.WriteAsync(data.AsMemory(written, 65536));
            process.Exit(0);
        }, TestContext.Current.CancellationToken);

        Assert.Equal(data, await stdout.ReadToEndAsync().WaitAsync(Limit));
        await writing;
    }

    [Fact]
    public async Task A_process_that_does_not_read_holds_back_its_client_and_loses_nothing()
    {
        const int total = 4 << 20;
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stdout: false, stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Exec(process, stdout: false, stderr: false), ["v4.channel.k8s.io"])).Start();
        await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var data = new byte[total];
        new Random(2).NextBytes(data);

        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < total; i += 32768) await stdin.WriteAsync(data.AsMemory(i, 32768));
            await stdin.FinishAsync();
        }, TestContext.Current.CancellationToken);
        using var read = new MemoryStream();
        await process.ProcessStdin.CopyToAsync(read, TestContext.Current.CancellationToken).WaitAsync(Limit);

        Assert.Equal(data, read.ToArray());
        await writing;
        process.Exit(0);
    }

    [Fact]
    public async Task Windows_are_kept_with_a_client_that_keeps_them()
    {
        const int total = 512 * 1024;
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Exec(process, stderr: false), ["v4.channel.k8s.io"], keepsWindows: true)).Start();
        await client.SendWordsAsync(4, 1, 7, 1000); // SETTINGS: an initial window of 1000 bytes
        await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        var data = new byte[total];
        new Random(3).NextBytes(data);

        // What the client sends fits the server's windows only if the server gives them back.
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < total; i += 16384) await stdin.WriteAsync(data.AsMemory(i, 16384));
            await stdin.FinishAsync();
        }, TestContext.Current.CancellationToken);
        using var read = new MemoryStream();
        await process.ProcessStdin.CopyToAsync(read, TestContext.Current.CancellationToken).WaitAsync(Limit);
        Assert.Equal(data, read.ToArray());
        await writing;
        Assert.InRange(client.WindowUpdates, total / SpdyConnection.WindowBytes, 100);

        // And the server stops after the client's window of a stream.
        await process.ProcessStdout.WriteAsync(new byte[5000], TestContext.Current.CancellationToken);
        var got = new byte[1000];
        await stdout.Output.ReadExactlyAsync(got, TestContext.Current.CancellationToken);
        Assert.Equal(1000, stdout.LargestFrame);
        await client.SendWordsAsync(9, stdout.Id, 4000);
        await stdout.Output.ReadExactlyAsync(new byte[4000], TestContext.Current.CancellationToken);
        process.Exit(0);
    }

    [Fact]
    public async Task An_attach_ends_with_success_whatever_the_container_ends_with()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Attach(process), ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        foreach (var type in new[] { "stdin", "stdout", "stderr" }) await client.OpenAsync(type);
        process.Exit(137);

        Assert.Contains("Success", await error.ReadTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attach_for_writing_alone_ends_when_it_has_written()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession(stdout: false, stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Attach(process, stdout: false, stderr: false), ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        await stdin.WriteAsync("hello");
        await stdin.FinishAsync();

        Assert.Equal("hello", await ReadAllAsync(process.ProcessStdin));
        Assert.Contains("Success", await error.ReadTextAsync(), StringComparison.Ordinal);
        await process.Disposed.WaitAsync(Limit);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_attach_whose_input_ends_leaves_the_process_or_waits_for_its_end(bool endsWithStdin)
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(
            server.Attach(process, endsWithStdin: endsWithStdin), ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        var stdin = await client.OpenAsync("stdin");
        var stdout = await client.OpenAsync("stdout");
        await client.OpenAsync("stderr");
        await stdin.WriteAsync("bye");
        await process.ProcessStdout.WriteAsync("hello"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal("hello", await stdout.ReadTextAsync(5));
        await stdin.FinishAsync();

        Assert.Equal("bye", await ReadAllAsync(process.ProcessStdin));
        if (!endsWithStdin)
        {
            await process.ProcessStdout.WriteAsync("more"u8.ToArray(), TestContext.Current.CancellationToken);
            Assert.Equal("more", await stdout.ReadTextAsync(4));
            process.Exit(0);
        }
        Assert.Contains("Success", await error.ReadTextAsync(), StringComparison.Ordinal);
        await process.Disposed.WaitAsync(Limit);
    }

    [Fact]
    public async Task An_attach_that_is_cut_off_says_so()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        await using var client = (await SpdyClient.ConnectAsync(server.Attach(process), ["v4.channel.k8s.io"])).Start();
        var error = await client.OpenAsync("error");
        foreach (var type in new[] { "stdin", "stdout", "stderr" }) await client.OpenAsync(type);
        process.Fail(new FaultException(FaultKind.FailedPrecondition, "attach.detached", "It was not read fast enough."));

        Assert.Contains("fast enough", await error.ReadTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_are_served_over_tls_with_a_certificate_of_their_own()
    {
        await using var server = await ServerUnderTest.StartAsync(new StreamingOptions { Tls = true });

        Assert.StartsWith("https://127.0.0.1:", server.Server.BaseAddress, StringComparison.Ordinal);
        Assert.Contains("Success", await OutcomeAsync(server, ["v4.channel.k8s.io"], 0), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v5.channel.k8s.io")]
    [InlineData("v4.channel.k8s.io")]
    [InlineData("channel.k8s.io")]
    public async Task Channels_of_a_websocket_carry_the_streams_and_the_outcome(string version)
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        using var socket = await ServerUnderTest.WebSocketAsync(server.Exec(process), version);
        Assert.Equal(version, socket.SubProtocol);
        Assert.Equal([1], (await ServerUnderTest.ReadMessageAsync(socket))!);

        await ServerUnderTest.SendAsync(socket, 0, "in");
        Assert.Equal("in", await ReadAllAsync(process.ProcessStdin, 2));
        if (version == "v5.channel.k8s.io")
        {
            await socket.SendAsync(new byte[] { 255, 0 }, WebSocketMessageType.Binary, true, TestContext.Current.CancellationToken);
            Assert.Equal("", await ReadAllAsync(process.ProcessStdin));
        }
        await process.ProcessStdout.WriteAsync("out"u8.ToArray(), TestContext.Current.CancellationToken);
        await process.ProcessStderr.WriteAsync("err"u8.ToArray(), TestContext.Current.CancellationToken);
        process.Exit(7);

        var channels = await ServerUnderTest.ReadChannelsAsync(socket);
        Assert.Equal(("out", "err"), (channels[1], channels[2]));
        Assert.Contains(version == "channel.k8s.io" ? "exit code 7" : "\"ExitCode\",\"message\":\"7\"", channels[3], StringComparison.Ordinal);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Base64_channels_are_digits_and_text_in_pieces_of_any_size()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        using var socket = await ServerUnderTest.WebSocketAsync(server.Exec(process), "v4.base64.channel.k8s.io");
        Assert.Equal("1", Encoding.ASCII.GetString((await ServerUnderTest.ReadMessageAsync(socket))!));
        var sent = new byte[10_000];
        new Random(4).NextBytes(sent);
        var message = Encoding.ASCII.GetBytes("0" + Convert.ToBase64String(sent));
        for (var i = 0; i < message.Length; i += 777)
        {
            var piece = message.AsMemory(i, Math.Min(777, message.Length - i));
            await socket.SendAsync(piece, WebSocketMessageType.Text, i + 777 >= message.Length, TestContext.Current.CancellationToken);
        }
        var got = new byte[sent.Length];
        await process.ProcessStdin.ReadExactlyAsync(got, TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit);
        Assert.Equal(sent, got);
        await process.ProcessStdout.WriteAsync("foo\n"u8.ToArray(), TestContext.Current.CancellationToken);
        process.Exit(0);

        var channels = await ServerUnderTest.ReadChannelsAsync(socket);
        Assert.Equal("Zm9vCg==", channels['1']);
        Assert.Contains("Success", Encoding.UTF8.GetString(Convert.FromBase64String(channels['3'])), StringComparison.Ordinal);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_websocket_client_that_goes_takes_its_exec_with_it()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var process = new FakeSession();
        using (var socket = await ServerUnderTest.WebSocketAsync(server.Exec(process), "v5.channel.k8s.io"))
            await ServerUnderTest.ReadMessageAsync(socket);

        await process.Disposed.WaitAsync(Limit);
        await server.NoSessionLeftAsync();
    }

    [Fact]
    public async Task A_websocket_of_an_unknown_protocol_is_refused()
    {
        await using var server = await ServerUnderTest.StartAsync();

        var refused = await Assert.ThrowsAsync<WebSocketException>(
            () => ServerUnderTest.WebSocketAsync(server.Exec(new FakeSession()), "v9.channel.k8s.io"));

        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<string> OutcomeAsync(ServerUnderTest server, string[] versions, int code)
    {
        var process = new FakeSession(stdin: false, stderr: false);
        await using var client = (await SpdyClient.ConnectAsync(
            server.Exec(process, stdin: false, stderr: false), versions)).Start();
        var error = await client.OpenAsync("error");
        await client.OpenAsync("stdout");
        process.Exit(code);
        return await error.ReadTextAsync().WaitAsync(Limit);
    }

    private static async Task<string> ReadAllAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(Limit);
    }

    private static async Task<string> ReadAllAsync(Stream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, TestContext.Current.CancellationToken).AsTask().WaitAsync(Limit);
        return Encoding.UTF8.GetString(bytes);
    }
}
