using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Oci.Registry;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Registry;

/// <summary>Against Docker's distribution, with images pushed by skopeo.</summary>
public sealed class RealRegistryTests(RegistryFixture registry) : IClassFixture<RegistryFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public async Task An_image_is_resolved_and_fetched_with_layers_in_parallel_and_in_parts(LayerCompression compression)
    {
        using var directory = new TempDirectory();
        var image = await TestImages.BusyBoxAsync(
            directory["layout"], compression, null, TestImages.Files(compression, ("etc/motd", "hello\n")));
        var reference = await registry.PushAsync(image, $"team/busybox:{compression}".ToLowerInvariant());
        using var client = new RegistryClient(new RegistryOptions(), TimeProvider.System);
        using var session = client.Open(ImageReference.Parse(reference), null);

        var target = await session.ResolveAsync(Cancellation);
        var manifest = Assert.IsType<ImageManifest>((await session.FetchManifestAsync(target, Cancellation)).Read());

        Assert.Equal(image.Target.Digest, target.Digest);
        Assert.Equal(image.Target.Digest, (await session.FetchManifestAsync(target.Digest, Cancellation)).Descriptor.Digest);
        var blobs = await Task.WhenAll(manifest.Children.Select(child => ReadAsync(session, child, 0)));
        Assert.All(manifest.Children.Zip(blobs), pair => Assert.True(pair.First.Digest.Matches(pair.Second)));
        Assert.Equal(blobs[1][1000..], await ReadAsync(session, manifest.Layers[0], 1000));
        ImageConfig.Parse(blobs[0]).CheckAgainst(manifest);

        using var pinned = client.Open(ImageReference.Parse($"{reference}@{target.Digest}"), null);
        Assert.Equal(target.Digest, (await pinned.ResolveAsync(Cancellation)).Digest);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        using var client = new RegistryClient(new RegistryOptions(), TimeProvider.System);
        using var session = client.Open(ImageReference.Parse($"{registry.Host}/no/such:tag"), null);
        var gone = new Descriptor { MediaType = MediaTypes.OciLayer, Digest = Digest.OfNothing, Size = 10 };

        foreach (var ask in (Func<Task>[])[
            () => session.ResolveAsync(Cancellation),
            () => session.FetchManifestAsync(Digest.OfNothing, Cancellation),
            () => session.OpenBlobAsync(gone, 0, Cancellation)])
        {
            var fault = (await Assert.ThrowsAsync<FaultException>(ask)).Fault;
            Assert.Equal((FaultKind.NotFound, "registry.not-found"), (fault.Kind, fault.Code));
            Assert.Contains($"{registry.Host}", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_registry_with_passwords_lets_in_who_has_one()
    {
        using var directory = new TempDirectory();
        await using var closed = await RegistryFixture.StartAsync(withPassword: true);
        var image = await TestImages.BuildAsync(
            directory["layout"], TestImages.DefaultProcess, TestImages.Files(LayerCompression.Gzip, ("a", "b")));
        var reference = ImageReference.Parse(await closed.PushAsync(image, "a/b:c"));
        using var client = new RegistryClient(new RegistryOptions(), TimeProvider.System);

        using var allowed = client.Open(
            reference, new RegistryCredential { Username = RegistryFixture.User, Password = RegistryFixture.Password });
        Assert.Equal(image.Target.Digest, (await allowed.ResolveAsync(Cancellation)).Digest);
        Assert.True(image.Manifest.Layers[0].Digest.Matches(await ReadAsync(allowed, image.Manifest.Layers[0], 0)));

        RegistryCredential?[] strangers =
        [
            null,
            new RegistryCredential { Username = RegistryFixture.User, Password = "wrong-secret" },
            new RegistryCredential
            {
                Username = RegistryFixture.User, Password = RegistryFixture.Password, ServerAddress = "other.example",
            },
        ];
        foreach (var stranger in strangers)
        {
            using var refused = client.Open(reference, stranger);
            var fault = (await Assert.ThrowsAsync<FaultException>(() => refused.ResolveAsync(Cancellation))).Fault;
            Assert.Equal((FaultKind.Unauthenticated, "registry.unauthorized"), (fault.Kind, fault.Code));
            Assert.DoesNotContain("wrong-secret", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_mirror_of_hosts_toml_serves_what_the_registry_itself_cannot()
    {
        using var directory = new TempDirectory();
        var image = await TestImages.BuildAsync(
            directory["layout"], TestImages.DefaultProcess, TestImages.Files(LayerCompression.None, ("a", "b")));
        await registry.PushAsync(image, "mirrored/tool:1");
        Directory.CreateDirectory(directory["certs/registry.invalid"]);
        await File.WriteAllTextAsync(
            directory["certs/registry.invalid/hosts.toml"], $"server = \"https://registry.invalid\"\n[host.\"http://{registry.Host}\"]\n", Cancellation);
        using var client = new RegistryClient(new RegistryOptions { ConfigPath = directory["certs"] }, TimeProvider.System);
        using var session = client.Open(ImageReference.Parse("registry.invalid/mirrored/tool:1"), null);

        var target = await session.ResolveAsync(Cancellation);

        Assert.Equal(image.Target.Digest, target.Digest);
        Assert.Equal(registry.Host, (await session.FetchManifestAsync(target, Cancellation)).Host);
    }

    private static async Task<byte[]> ReadAsync(RegistrySession session, Descriptor blob, long offset)
    {
        await using var download = await session.OpenBlobAsync(blob, offset, Cancellation);
        Assert.True(download.RangeHonoured);
        using var bytes = new MemoryStream();
        await download.CopyToAsync(bytes, Cancellation);
        return bytes.ToArray();
    }
}
