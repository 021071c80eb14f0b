using Containerd.Services.Streaming.V1;
using Containerd.Services.Transfer.V1;
using Containerd.Types.Transfer;
using Google.Protobuf;
using Grpc.Core;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;
using Any = Google.Protobuf.WellKnownTypes.Any;

namespace Runtime.Tests.Integration.Grpc;

/// <summary>The transfer service as a client uses it, with a real registry and real streams.</summary>
[Collection(KernelCollection.Name)]
public sealed class TransferTests : IAsyncLifetime
{
    private static readonly NamespaceName Space = new("moving");
    private static readonly Metadata Headers = new() { { "containerd-namespace", "moving" } };

    private readonly ImageWorld _world = new();
    private GrpcServer _server = null!;
    private RegistryFixture _registry = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _world.StartAsync();
        _server = await GrpcServer.StartAsync(_world.Domain);
        _registry = await RegistryFixture.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        await _server.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task A_pull_brings_names_and_unpacks_and_tells_of_its_progress()
    {
        var image = await ImageAsync();
        var name = await _registry.PushAsync(image, "pulled:1");
        await using var progress = await StreamAsync("progress");
        await TransferAsync(
            new OCIRegistry { Reference = name },
            new ImageStore { Name = name, Labels = { ["a"] = "b" }, Platforms = { Here }, Unpacks = { new UnpackConfiguration { Platform = Here, Snapshotter = "overlayfs" } } },
            "progress");

        var stored = _world.Domain.ImageNames.Find(Space, name)!;
        Assert.Equal(image.Target.Digest.ToString(), stored.Target.Digest);
        Assert.Equal("b", stored.Labels["a"]);
        var chain = ChainId.Of(image.Config.Rootfs.DiffIds).ToString();
        Assert.NotNull(_world.Domain.SnapshotViews.Find(Space, SnapshotId.Of("overlayfs", chain)));
        var told = (await progress.AllAsync()).Select(any => Progress.Parser.ParseFrom(any.Value)).ToList();
        Assert.Contains(told, one => one.Event == "saved" && one.Name == name && one.Desc.Digest == stored.Target.Digest);
        foreach (var layer in image.Manifest.Layers)
            Assert.Contains(told, one => one.Name == layer.Digest.ToString() && one.Event == "complete" && one.Progress_ == layer.Size);
        Assert.StartsWith("Completed pull", told[^1].Event, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_pulled_without_unpacking_is_pushed_elsewhere_and_is_the_same()
    {
        var image = await ImageAsync();
        var name = await _registry.PushAsync(image, "first:1");
        await TransferAsync(new OCIRegistry { Reference = name }, new ImageStore { Name = name });
        Assert.Empty(_world.Domain.SnapshotViews.In(Space));
        await TransferAsync(new ImageStore { Name = name }, new ImageStore { Name = $"{_registry.Host}/second:2" });
        await TransferAsync(new ImageStore { Name = $"{_registry.Host}/second:2" }, new OCIRegistry { Reference = $"{_registry.Host}/second:2" });

        var digest = await Tool.RunAsync("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", $"docker://{_registry.Host}/second:2");
        Assert.Equal(image.Target.Digest.ToString(), digest.Trim());
        await Tool.RunAsync("skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false",
            $"docker://{_registry.Host}/second:2", $"oci:{_world["back"]}:x");
    }

    [Fact]
    public async Task An_index_is_pushed_whole_to_a_registry_that_wants_a_password()
    {
        await using var locked = await RegistryFixture.StartAsync(withPassword: true);
        var image = await ImageAsync();
        var name = await _registry.PushAsync(image, "plain:1");
        await TransferAsync(new OCIRegistry { Reference = name }, new ImageStore { Name = name });
        await using var auth = await StreamAsync("auth");
        var answering = auth.AnswerAsync(new AuthResponse { AuthType = AuthType.Credentials, Username = RegistryFixture.User, Secret = RegistryFixture.Password });
        var target = $"{locked.Host}/locked:1";
        await TransferAsync(new ImageStore { Name = name }, new OCIRegistry { Reference = target, Resolver = new RegistryResolver { AuthStream = "auth" } });
        await answering;

        await Tool.RunAsync("skopeo", "inspect", "--tls-verify=false", "--creds", $"{RegistryFixture.User}:{RegistryFixture.Password}", $"docker://{target}");
        var refused = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new ImageStore { Name = name }, new OCIRegistry { Reference = target }));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
    }

    [Fact]
    public async Task An_exported_archive_is_imported_again()
    {
        var image = await ImageAsync();
        var name = await _registry.PushAsync(image, "archived:1");
        await TransferAsync(new OCIRegistry { Reference = name }, new ImageStore { Name = name });
        var archive = new MemoryStream();
        await using (var stream = await StreamAsync("export"))
        {
            var receiving = stream.ReceiveAsync(archive);
            await TransferAsync(new ImageStore { Name = name }, new ImageExportStream { Stream = "export" });
            await receiving;
        }
        Assert.True(archive.Length > 1000);

        await using (var stream = await StreamAsync("import"))
        {
            var sending = stream.SendAsync(archive.ToArray());
            await TransferAsync(new ImageImportStream { Stream = "import" }, new ImageStore { Name = "" }, space: "other");
            await sending;
        }
        Assert.Equal(image.Target.Digest.ToString(), _world.Domain.ImageNames.Find(new NamespaceName("other"), name)!.Target.Digest);
    }

    [Fact]
    public async Task What_cannot_be_moved_is_refused()
    {
        Assert.Equal(StatusCode.NotFound, await StatusAsync(new ImageStore { Name = "nobody:1" }, new OCIRegistry { Reference = $"{_registry.Host}/x:1" }));
        Assert.Equal(StatusCode.NotFound, await StatusAsync(new OCIRegistry { Reference = $"{_registry.Host}/no/such:1" }, new ImageStore { Name = "x:1" }));
        Assert.Equal(StatusCode.Unimplemented, await StatusAsync(new OCIRegistry { Reference = "a:1" }, new OCIRegistry { Reference = "b:1" }));
        var unknown = await Assert.ThrowsAsync<RpcException>(() => TransferAsync(new ImageStore { Name = "x" }, new ImageStore { Name = "y" }, "no-such-stream"));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
        await using var first = await StreamAsync("same");
        var second = await Assert.ThrowsAsync<RpcException>(() => StreamAsync("same"));
        Assert.Equal(StatusCode.AlreadyExists, second.StatusCode);
    }

    private static Containerd.Types.Platform Here => new() { Os = Platform.Host.Os, Architecture = Platform.Host.Architecture };

    private Task<TestImage> ImageAsync() => TestImages.BuildAsync(
        _world["image"], TestImages.DefaultProcess,
        TestImages.Files(LayerCompression.Gzip, ("a", new string('x', 200_000))), TestImages.Files(LayerCompression.Zstd, ("b", "y")));

    private async Task<StatusCode> StatusAsync(IMessage source, IMessage destination) =>
        (await Assert.ThrowsAsync<RpcException>(() => TransferAsync(source, destination))).StatusCode;

    private async Task TransferAsync(IMessage source, IMessage destination, string progress = "", string space = "moving") =>
        await new Transfer.TransferClient(_server.Channel).TransferAsync(
            new TransferRequest
            {
                Source = Pack(source),
                Destination = Pack(destination),
                Options = new TransferOptions { ProgressStream = progress },
            },
            new Metadata { { "containerd-namespace", space } }, cancellationToken: Cancellation);

    private static Any Pack(IMessage message) => new() { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };

    private async Task<TestStream> StreamAsync(string id)
    {
        var space = id == "import" ? new Metadata { { "containerd-namespace", "other" } } : Headers;
        var call = new Streaming.StreamingClient(_server.Channel).Stream(space, cancellationToken: Cancellation);
        await call.RequestStream.WriteAsync(Pack(new StreamInit { Id = id }), Cancellation);
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        Assert.Equal("google.protobuf.Empty", call.ResponseStream.Current.TypeUrl);
        return new TestStream(call);
    }

    private sealed class TestStream(AsyncDuplexStreamingCall<Any, Any> call) : IAsyncDisposable
    {
        public async Task<List<Any>> AllAsync()
        {
            var all = new List<Any>();
            while (await call.ResponseStream.MoveNext(Cancellation)) all.Add(call.ResponseStream.Current);
            return all;
        }

        public async Task AnswerAsync(IMessage answer)
        {
            Assert.True(await call.ResponseStream.MoveNext(Cancellation));
            Assert.NotEmpty(AuthRequest.Parser.ParseFrom(call.ResponseStream.Current.Value).Host);
            await call.RequestStream.WriteAsync(Pack(answer), Cancellation);
        }

        public async Task ReceiveAsync(Stream into)
        {
            await call.RequestStream.WriteAsync(Pack(new WindowUpdate { Update = 65536 }), Cancellation);
            while (await call.ResponseStream.MoveNext(Cancellation))
            {
                var data = Data.Parser.ParseFrom(call.ResponseStream.Current.Value).Data_;
                await into.WriteAsync(data.Memory, Cancellation);
                try
                {
                    await call.RequestStream.WriteAsync(Pack(new WindowUpdate { Update = data.Length }), Cancellation);
                }
                catch (Exception ended) when (ended is RpcException or InvalidOperationException)
                {
                    // That was the last piece: the server has ended the stream already.
                }
            }
        }

        /// <summary>No more than the server allows.</summary>
        public async Task SendAsync(byte[] bytes)
        {
            var allowed = 0L;
            for (var at = 0; at < bytes.Length;)
            {
                while (allowed == 0)
                {
                    Assert.True(await call.ResponseStream.MoveNext(Cancellation));
                    allowed += WindowUpdate.Parser.ParseFrom(call.ResponseStream.Current.Value).Update;
                }
                var count = (int)Math.Min(Math.Min(allowed, 32768), bytes.Length - at);
                await call.RequestStream.WriteAsync(Pack(new Data { Data_ = ByteString.CopyFrom(bytes, at, count) }), Cancellation);
                (at, allowed) = (at + count, allowed - count);
            }
            await call.RequestStream.CompleteAsync();
        }

        public ValueTask DisposeAsync()
        {
            call.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
