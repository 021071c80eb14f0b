using System.Collections.Immutable;
using System.Diagnostics;
using Containerd.Events;
using Containerd.Services.Events.V1;
using Runtime.Actors.Images;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Grpc;

/// <summary>What Debian's <c>ctr events</c> prints while things happen in the domain.</summary>
[Collection(KernelCollection.Name)]
public sealed class CtrEventTests : IAsyncLifetime
{
    private readonly ImageWorld _world = new();
    private GrpcServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        await _world.StartAsync();
        _server = await GrpcServer.StartAsync(_world.Domain);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task What_happens_is_told_in_order_with_its_namespace_and_containerds_payloads()
    {
        await using var events = await EventsAsync();
        await SnapshotsAsync("prepare", "one");
        await SnapshotsAsync("commit", "base", "one");
        await SnapshotsAsync("view", "look", "base");
        await SnapshotsAsync("rm", "look", "base");

        Assert.Equal(
            [
                """other /snapshot/prepare {"key":"one"}""",
                """other /snapshot/commit {"key":"one","name":"base"}""",
                """other /snapshot/remove {"key":"look"}""",
                """other /snapshot/remove {"key":"base"}""",
            ],
            await events.ReadAsync(4));
    }

    [Fact]
    public async Task A_pull_tells_of_content_snapshots_and_names()
    {
        await using var registry = await RegistryFixture.StartAsync();
        var image = await TestImages.BuildAsync(_world["image"], TestImages.DefaultProcess, TestImages.Files(Oci.Images.LayerCompression.Gzip, ("a", "b")));
        var name = await registry.PushAsync(image, "told:1");
        await using var events = await EventsAsync();
        using var content = new Containerd.Services.Events.V1.Events.EventsClient(_server.Channel)
            .Subscribe(new SubscribeRequest { Filters = { "topic==\"/content/create\"" } }, cancellationToken: TestContext.Current.CancellationToken);
        await content.ResponseHeadersAsync;
        await _world.PullAsync(name);
        await _world.Requests.SendAsync<ImageNameRemoved>(new RemoveImageName(ImageWorld.Space, name), TestContext.Current.CancellationToken);

        // Debian's ctr is older than the events of content, and leaves them out.
        Assert.Equal(
            ["/snapshot/prepare", "/snapshot/commit", "/images/create", "/images/create", "/images/create", "/images/delete"],
            (await events.ReadAsync(6)).Select(line => line.Split(' ')[1]));
        var digests = new HashSet<string>();
        while (digests.Count < 3 && await content.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            digests.Add(ContentCreate.Parser.ParseFrom(content.ResponseStream.Current.Event.Value).Digest);
        Assert.Contains(image.Target.Digest.ToString(), digests);
        Assert.Contains(image.Manifest.Layers[0].Digest.ToString(), digests);
    }

    [Fact]
    public async Task A_filter_selects_topics_and_namespaces()
    {
        await using var events = await EventsAsync("topic~=\"^/snapshot/commit$\",namespace==other");
        await SnapshotsAsync("prepare", "one");
        await SnapshotsAsync("commit", "base", "one");

        Assert.StartsWith("other /snapshot/commit", Assert.Single(await events.ReadAsync(1)), StringComparison.Ordinal);
    }

    private Task<string> SnapshotsAsync(params string[] arguments) =>
        Tool.RunAsync("ctr", ["--address", _server.Socket, "-n", "other", "snapshots", .. arguments]);

    /// <summary>A subscription that is in place: an event of its own has come.</summary>
    private async Task<EventPrinter> EventsAsync(params string[] filters)
    {
        var printer = new EventPrinter(_server.Socket, filters);
        if (filters.Length == 0) await printer.SeesAsync(() => SnapshotsAsync("prepare", "sync-" + Guid.NewGuid().ToString("N")));
        else await printer.SeesAsync(async () =>
        {
            var key = "sync-" + Guid.NewGuid().ToString("N");
            await SnapshotsAsync("prepare", key);
            await SnapshotsAsync("commit", key + "-base", key);
        });
        return printer;
    }

    /// <summary>A running <c>ctr events</c>; lines without their time.</summary>
    private sealed class EventPrinter : IAsyncDisposable
    {
        private readonly Process _process;

        public EventPrinter(string socket, string[] filters) => _process = Process.Start(
            new ProcessStartInfo("ctr", ["--address", socket, "events", .. filters]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;

        /// <summary>Does something until its event comes.</summary>
        public async Task SeesAsync(Func<Task> act)
        {
            var first = _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
            while (!first.IsCompleted)
            {
                await act();
                await Task.WhenAny(first, Task.Delay(100, TestContext.Current.CancellationToken));
            }
        }

        public async Task<ImmutableArray<string>> ReadAsync(int count)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(20));
            var lines = ImmutableArray.CreateBuilder<string>();
            while (lines.Count < count)
            {
                var line = await NextAsync() ?? throw new InvalidOperationException($"ctr events ended after:\n{string.Join('\n', lines)}");
                // Date, time, offset and zone come first.
                if (!line.Contains("sync-", StringComparison.Ordinal)) lines.Add(string.Join(' ', line.Split(' ').Skip(4)));
            }
            return lines.ToImmutable();

            async Task<string?> NextAsync()
            {
                try
                {
                    return await _process.StandardOutput.ReadLineAsync(limit.Token);
                }
                catch (OperationCanceledException)
                {
                    return null;
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
