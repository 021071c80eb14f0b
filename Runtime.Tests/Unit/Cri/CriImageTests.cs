using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Runtime.Actors.Images;
using Runtime.Actors.Pulls;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Cri;

/// <summary>The image service through a real channel, over a scripted domain.</summary>
public sealed class CriImageTests : IAsyncLifetime
{
    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;
    private ImageService.ImageServiceClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcServer.StartAsync(_script.Domain);
        _client = new ImageService.ImageServiceClient(_server.Channel);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Theory]
    [InlineData("", 0L, "")]
    [InlineData("0", 0L, "")]
    [InlineData("1000:1000", 1000L, "")]
    [InlineData("www-data:www-data", null, "www-data")]
    public async Task An_image_has_either_a_uid_or_a_user_name(string user, long? uid, string name)
    {
        _script.Images.Images.Add(Image(user));

        var image = (await _client.ImageStatusAsync(Spec("busybox:latest"), cancellationToken: Cancellation)).Image;

        Assert.Equal(uid, image.Uid?.Value);
        Assert.Equal(name, image.Username);
        Assert.Equal(4096UL, image.Size);
    }

    [Fact]
    public async Task An_image_that_is_not_there_is_an_empty_answer() =>
        Assert.Null((await _client.ImageStatusAsync(Spec("nothing"), cancellationToken: Cancellation)).Image);

    [Fact]
    public async Task Verbose_status_shows_the_images_config_as_it_was_stored()
    {
        _script.Images.Images.Add(Image("root"));
        var request = Spec("busybox:latest");
        Assert.Empty((await _client.ImageStatusAsync(request, cancellationToken: Cancellation)).Info);
        request.Verbose = true;

        var status = await _client.ImageStatusAsync(request, cancellationToken: Cancellation);

        using var info = JsonDocument.Parse(status.Info["info"]);
        Assert.Equal("amd64", info.RootElement.GetProperty("imageSpec").GetProperty("architecture").GetString());
        Assert.Equal("sh", info.RootElement.GetProperty("imageSpec").GetProperty("config").GetProperty("Cmd")[0].GetString());
        Assert.True(info.RootElement.TryGetProperty("chainID", out _));
    }

    [Fact]
    public async Task Pull_normalises_the_reference_and_returns_the_image_id()
    {
        var pulled = await _client.PullImageAsync(
            new PullImageRequest { Image = new ImageSpec { Image = "busybox" } }, cancellationToken: Cancellation);

        Assert.Equal("sha256:" + new string('1', 64), pulled.ImageRef);
        var sent = Assert.IsType<PullImage>(Assert.Single(_script.Commands));
        Assert.Equal("docker.io/library/busybox:latest", sent.EntityId);
        Assert.Null(sent.Auth);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("registry.example:5000", true)]
    [InlineData("https://registry.example:5000/v2/", true)]
    [InlineData("https://index.docker.io/v1/", false)]
    [InlineData("registry.example", false)]
    public async Task Credentials_go_to_the_registry_that_they_are_for(string server, bool isSent)
    {
        var auth = new AuthConfig { Auth = Convert.ToBase64String(Encoding.UTF8.GetBytes("user:p:w\0")), ServerAddress = server };

        await _client.PullImageAsync(
            new PullImageRequest { Image = new ImageSpec { Image = "registry.example:5000/a/b" }, Auth = auth }, cancellationToken: Cancellation);

        var sent = Assert.IsType<PullImage>(Assert.Single(_script.Commands));
        Assert.Equal(isSent ? "user p:w" : null, sent.Auth is { } given ? $"{given.Username} {given.Password}" : null);
    }

    [Fact]
    public async Task Malformed_credentials_are_refused_without_being_repeated()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _client.PullImageAsync(
            new PullImageRequest { Image = new ImageSpec { Image = "busybox" }, Auth = new AuthConfig { Auth = "secret!" } },
            cancellationToken: Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.DoesNotContain("secret", refused.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pull_that_nobody_waits_for_any_more_is_cancelled()
    {
        _script.Answer = _ => null;

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _client.PullImageAsync(
            new PullImageRequest { Image = new ImageSpec { Image = "busybox" } },
            deadline: DateTime.UtcNow.AddMilliseconds(200), cancellationToken: Cancellation));

        Assert.Equal(StatusCode.DeadlineExceeded, refused.StatusCode);
        Assert.True(SpinWait.SpinUntil(() => _script.Commands.Count == 2, TimeSpan.FromSeconds(10)));
        Assert.Equal("docker.io/library/busybox:latest", Assert.IsType<CancelPull>(_script.Commands.Last()).EntityId);
    }

    [Fact]
    public async Task The_file_system_of_images_is_that_of_containers()
    {
        var info = await _client.ImageFsInfoAsync(new ImageFsInfoRequest(), cancellationToken: Cancellation);

        Assert.Equal(Assert.Single(info.ImageFilesystems), Assert.Single(info.ContainerFilesystems));
        Assert.Equal(("/var/lib/actord", 4096UL, 5_000_000_000L),
            (info.ImageFilesystems[0].FsId.Mountpoint, info.ImageFilesystems[0].UsedBytes.Value, info.ImageFilesystems[0].Timestamp));
    }

    [Fact]
    public async Task Removing_goes_to_the_catalogue_and_needs_a_reference()
    {
        await _client.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = "x" } }, cancellationToken: Cancellation);
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await _client.RemoveImageAsync(new RemoveImageRequest(), cancellationToken: Cancellation));

        Assert.Equal(["x"], _script.Images.Removed);
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    private static ImageStatusRequest Spec(string image) => new() { Image = new ImageSpec { Image = image } };

    private static ImageSummary Image(string user) => new()
    {
        Id = "sha256:" + new string('1', 64),
        RepoTags = ["busybox:latest"],
        RepoDigests = ImmutableArray<string>.Empty,
        Size = 4096,
        ChainId = "sha256:c",
        Snapshotter = "overlayfs",
        Pinned = false,
        Defaults = new ImageDefaults { User = user },
    };
}
