using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Actord.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Runtime.Actors.Images;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Api.Edge;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Cri;
using Xunit;

namespace Runtime.Tests.Unit.Api;

/// <summary>actord's own services and health, through a real channel.</summary>
public sealed class ActordServicesTests : IAsyncLifetime
{
    private static readonly Metadata Kubernetes = new() { { NamespaceHeader.Name, "k8s.io" } };

    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await GrpcServer.StartAsync(_script.Domain, new OneEntry());

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Fact]
    public async Task An_archive_arrives_whole_in_pieces_and_leaves_as_it_came()
    {
        var client = new Actord.V1.Images.ImagesClient(_server.Channel);
        var archive = new byte[3_000_000];
        Random.Shared.NextBytes(archive);

        using var import = client.Import(Kubernetes, cancellationToken: Cancellation);
        await import.RequestStream.WriteAsync(new ImportRequest { Name = "given" }, Cancellation);
        foreach (var piece in archive.Chunk(100_000))
            await import.RequestStream.WriteAsync(new ImportRequest { Data = ByteString.CopyFrom(piece) }, Cancellation);
        await import.RequestStream.CompleteAsync();
        var imported = await import.ResponseAsync;
        Put("given");
        using var export = client.Export(new ExportRequest { Names = { "given" } }, Kubernetes, cancellationToken: Cancellation);
        using var back = new MemoryStream();
        await foreach (var piece in export.ResponseStream.ReadAllAsync(Cancellation)) piece.Data.WriteTo(back);

        Assert.Equal("given", Assert.Single(imported.Images).Name);
        Assert.Equal(archive, _script.Archives.Archive);
        Assert.Equal(archive, back.ToArray());
    }

    [Fact]
    public async Task A_pull_shows_progress_and_ends_with_the_image()
    {
        var name = "docker.io/library/busybox:latest";
        var pull = new TaskCompletionSource();
        _script.Answer = command =>
        {
            _script.Domain.Pulls.Set(NamespaceName.Kubernetes, name, new PullView(name, default, "downloading", [new("sha256:1", "downloading", 5, 10)]));
            pull.Task.Wait(Cancellation);
            return new ImagePulled(name, "sha256:id", "sha256:digest");
        };
        var client = new Actord.V1.Images.ImagesClient(_server.Channel);

        using var call = client.Pull(new PullRequest { Reference = "busybox" }, Kubernetes, cancellationToken: Cancellation);
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        var progress = call.ResponseStream.Current;
        pull.SetResult();
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        var last = call.ResponseStream.Current;

        Assert.Equal(("downloading", 5L), (progress.Status, Assert.Single(progress.Blobs).Offset));
        Assert.Equal(("done", "sha256:id"), (last.Status, last.Image.Id));
        Assert.False(await call.ResponseStream.MoveNext(Cancellation));
    }

    [Fact]
    public async Task A_namespaced_call_without_its_header_is_a_failed_precondition()
    {
        var client = new Actord.V1.Images.ImagesClient(_server.Channel);

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.ListAsync(new ListImagesRequest(), cancellationToken: Cancellation));

        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.StartsWith("namespace is required", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_is_streamed_and_a_backup_needs_an_absolute_path()
    {
        var client = new Actord.V1.Journal.JournalClient(_server.Channel);

        using var history = client.History(new HistoryRequest { Id = "abcd" }, cancellationToken: Cancellation);
        Assert.True(await history.ResponseStream.MoveNext(Cancellation));
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.BackupAsync(new BackupRequest { Path = "relative" }, cancellationToken: Cancellation));

        Assert.Equal("container.created.v1", history.ResponseStream.Current.Manifest);
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Equal(7, (await client.BackupAsync(new BackupRequest { Path = "/b" }, cancellationToken: Cancellation)).Size);
    }

    [Fact]
    public async Task Health_is_serving_once_started()
    {
        var client = new Health.HealthClient(_server.Channel);

        Assert.Equal(
            HealthCheckResponse.Types.ServingStatus.Serving,
            (await client.CheckAsync(new HealthCheckRequest(), cancellationToken: Cancellation)).Status);
        var unknown = await Assert.ThrowsAsync<RpcException>(async () =>
            await client.CheckAsync(new HealthCheckRequest { Service = "x" }, cancellationToken: Cancellation));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
    }

    private void Put(string name) => _script.Domain.ImageNames.Set(NamespaceName.Kubernetes, name, new ImageView(
        name, new ImageTarget("m", "sha256:0", 1), ImmutableSortedDictionary<string, string>.Empty, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch));

    private sealed class OneEntry : IJournalReader
    {
        public async IAsyncEnumerable<JournalEntry> HistoryAsync(string id, [EnumeratorCancellation] CancellationToken cancellation)
        {
            await Task.Yield();
            yield return new JournalEntry(1, DateTimeOffset.UnixEpoch, $"container/k8s.io/{id}", 1, "container.created.v1", "{}");
        }

        public Task<long> BackupAsync(string path, CancellationToken cancellation) => Task.FromResult(7L);
    }
}
