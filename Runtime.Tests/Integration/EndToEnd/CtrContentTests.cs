using Grpc.Core;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>Debian's ctr against the daemon: namespaces, content, images, leases and containers, as people type them.</summary>
[Collection(KernelCollection.Name)]
public sealed class CtrContentTests : IAsyncLifetime
{
    private const string Missing = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    private readonly RegistryFixture _registry = new();
    private readonly TempDirectory _directory = new();
    private DaemonFixture _daemon = null!;

    public async ValueTask InitializeAsync()
    {
        await _registry.InitializeAsync();
        _daemon = await DaemonFixture.StartAsync(withImage: false);
    }

    public async ValueTask DisposeAsync()
    {
        await _daemon.DisposeAsync();
        await _registry.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Namespaces_are_made_labelled_listed_and_removed_while_empty()
    {
        await CtrAsync("namespaces", "create", "made", "a=1");
        Assert.Contains("already exists", await RefusedAsync("namespaces", "create", "made"), StringComparison.Ordinal);
        await CtrAsync("namespaces", "label", "made", "b=2", "a=");
        Assert.Matches("made +b=2", await CtrAsync("namespaces", "ls"));
        Assert.Contains("invalid argument", await RefusedAsync("namespaces", "create", "no/name"), StringComparison.OrdinalIgnoreCase);

        var blob = await IngestAsync("made", "held", "bytes");
        Assert.Contains("must be empty", await RefusedAsync("namespaces", "rm", "made"), StringComparison.Ordinal);
        await CtrAsync("-n", "made", "content", "rm", blob);
        await _daemon.RestartAfterKillAsync();
        Assert.Matches("made +b=2", await CtrAsync("namespaces", "ls"));
        await CtrAsync("namespaces", "rm", "made");
        Assert.DoesNotContain("made", await CtrAsync("namespaces", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_is_ingested_read_labelled_edited_and_deleted()
    {
        var blob = await IngestAsync("t", "first", "some bytes");
        Assert.Equal("some bytes", await CtrAsync("-n", "t", "content", "get", blob));
        Assert.Contains(blob, await CtrAsync("-n", "t", "content", "ls"), StringComparison.Ordinal);
        Assert.DoesNotContain(blob, await CtrAsync("-n", "other", "content", "ls"), StringComparison.Ordinal);

        await CtrAsync("-n", "t", "content", "label", blob, "one=1", "two=2");
        await CtrAsync("-n", "t", "content", "label", blob, "one=");
        Assert.Equal(blob, (await CtrAsync("-n", "t", "content", "ls", "-q", "labels.two==2")).Trim());
        Assert.Equal("", await CtrAsync("-n", "t", "content", "ls", "-q", "labels.one"));

        // Writes into the file that ctr has open, as an editor that renames does not.
        var editor = _directory["editor"];
        await File.WriteAllTextAsync(editor, "printf 'other bytes' > $1", TestContext.Current.CancellationToken);
        var edited = (await ShellAsync($"EDITOR='sh {editor}' {Ctr} -n t content edit {blob}")).Trim();
        Assert.Equal("other bytes", await CtrAsync("-n", "t", "content", "get", edited));

        var again = await Assert.ThrowsAsync<InvalidOperationException>(() => IngestAsync("t", "third", "some bytes", Missing));
        Assert.Contains("unexpected commit digest", again.Message, StringComparison.Ordinal);
        await IngestAsync("t", "second", "some bytes", blob);
        Assert.Contains("third", await CtrAsync("-n", "t", "content", "active"), StringComparison.Ordinal);

        await CtrAsync("-n", "t", "content", "rm", blob, edited);
        Assert.Contains("not found", await RefusedAsync("-n", "t", "content", "get", blob), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_are_fetched_imported_tagged_labelled_exported_pushed_and_removed_with_their_content()
    {
        var image = await TestImages.BusyBoxAsync(_directory["layout"]);
        var name = await _registry.PushAsync(image, "busybox:1");
        await CtrAsync("-n", "t", "content", "fetch", "--plain-http", name);
        Assert.Matches($"{name} .*{image.Target.Digest}", await CtrAsync("-n", "t", "images", "ls"));
        Assert.Equal(3, Lines(await CtrAsync("-n", "t", "content", "ls", "-q")).Length);

        await CtrAsync("-n", "t", "images", "tag", name, "mine:custom");
        Assert.Contains("already exists", await RefusedAsync("-n", "t", "images", "tag", name, "mine:custom"), StringComparison.Ordinal);
        await CtrAsync("-n", "t", "images", "tag", "--force", name, "mine:custom");
        await CtrAsync("-n", "t", "images", "label", "mine:custom", "colour=red");
        Assert.Equal("mine:custom", (await CtrAsync("-n", "t", "images", "ls", "-q", "labels.colour==red")).Trim());

        var archive = _directory["image.tar"];
        await CtrAsync("-n", "t", "images", "export", archive, name);
        await CtrAsync("-n", "u", "images", "import", "--no-unpack", archive);
        Assert.Contains(image.Target.Digest.ToString(), await CtrAsync("-n", "u", "images", "ls"), StringComparison.Ordinal);
        await CtrAsync("-n", "t", "images", "push", "--plain-http", $"{_registry.Host}/copy:1", name);
        await CtrAsync("-n", "v", "content", "fetch", "--plain-http", $"{_registry.Host}/copy:1");

        foreach (var (space, names) in new[] { ("t", new[] { name, "mine:custom" }), ("u", Lines(await CtrAsync("-n", "u", "images", "ls", "-q"))), ("v", [$"{_registry.Host}/copy:1"]) })
            await CtrAsync(["-n", space, "images", "rm", "--sync", .. names]);
        // Leases of ctr's own may still hold content for a while: the last one ends now.
        foreach (var space in new[] { "t", "u", "v" })
        {
            foreach (var lease in Lines(await CtrAsync("-n", space, "leases", "ls", "-q"))) await CtrAsync("-n", space, "leases", "rm", "--sync", lease);
            Assert.Equal("", await CtrAsync("-n", space, "content", "ls", "-q"));
        }
        await CtrAsync("-n", "t", "leases", "create", "--id", "last");
        await CtrAsync("-n", "t", "leases", "rm", "--sync", "last");
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_daemon.Root, "io.containerd.content.v1.content", "blobs"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_lease_keeps_content_over_a_restart_until_it_is_removed()
    {
        await CtrAsync("-n", "t", "leases", "create", "--id", "keep", "--expires", "0", "purpose=test");
        Assert.Contains("already exists", await RefusedAsync("-n", "t", "leases", "create", "--id", "keep"), StringComparison.Ordinal);
        var kept = await IngestAsync("t", "kept", "kept");
        var lost = await IngestAsync("t", "lost", "lost");
        await HoldAsync("t", "keep", kept);
        await _daemon.RestartAfterKillAsync();
        Assert.Contains("keep", await CtrAsync("-n", "t", "leases", "ls"), StringComparison.Ordinal);

        await CtrAsync("-n", "t", "leases", "create", "--id", "other");
        await CtrAsync("-n", "t", "leases", "rm", "--sync", "other");
        var left = await CtrAsync("-n", "t", "content", "ls", "-q");
        Assert.Contains(kept, left, StringComparison.Ordinal);
        Assert.DoesNotContain(lost, left, StringComparison.Ordinal);

        await CtrAsync("-n", "t", "leases", "rm", "--sync", "keep");
        Assert.Equal("", await CtrAsync("-n", "t", "content", "ls", "-q"));
    }

    [Fact]
    public async Task Containers_are_made_of_a_spec_labelled_and_removed()
    {
        var spec = _directory["config.json"];
        await File.WriteAllTextAsync(spec, """{"ociVersion":"1.0.2","process":{"args":["true"],"cwd":"/"},"root":{"path":"rootfs"}}""", TestContext.Current.CancellationToken);
        await CtrAsync("-n", "t", "containers", "create", "--config", spec, "--label", "a=1", "plain");
        Assert.Contains("already exists", await RefusedAsync("-n", "t", "containers", "create", "--config", spec, "plain"), StringComparison.Ordinal);
        await CtrAsync("-n", "t", "containers", "label", "plain", "b=2");
        await _daemon.RestartAfterKillAsync();

        Assert.Matches("plain +.* +io.containerd.runc.v2", await CtrAsync("-n", "t", "containers", "ls"));
        Assert.Equal("plain", (await CtrAsync("-n", "t", "containers", "ls", "-q", "labels.b==2")).Trim());
        Assert.Contains("\"true\"", await CtrAsync("-n", "t", "containers", "info", "plain"), StringComparison.Ordinal);
        await CtrAsync("-n", "t", "containers", "rm", "plain");
        Assert.Contains("not found", await RefusedAsync("-n", "t", "containers", "info", "plain"), StringComparison.Ordinal);
    }

    private string Ctr => $"ctr --address {_daemon.Socket}";

    private Task<string> CtrAsync(params string[] arguments) => Tool.RunAsync("ctr", ["--address", _daemon.Socket, .. arguments]);

    private async Task<string> RefusedAsync(params string[] arguments) =>
        (await Assert.ThrowsAsync<InvalidOperationException>(() => CtrAsync(arguments))).Message;

    private static Task<string> ShellAsync(string script) => Tool.RunAsync("sh", "-c", script);

    /// <summary>Stores text as a blob; the digest.</summary>
    private async Task<string> IngestAsync(string space, string reference, string text, string expected = "")
    {
        var option = expected.Length > 0 ? $"--expected-digest {expected}" : "";
        await ShellAsync($"printf '%s' '{text}' | {Ctr} -n {space} content ingest {option} {reference}");
        return Oci.Images.Digest.Of(System.Text.Encoding.UTF8.GetBytes(text)).ToString();
    }

    /// <summary>What ctr has no command for.</summary>
    private async Task HoldAsync(string space, string lease, string digest) =>
        await new Containerd.Services.Leases.V1.Leases.LeasesClient(_daemon.Channel).AddResourceAsync(
            new() { Id = lease, Resource = new() { Type = "content", Id = digest } }, new Metadata { { "containerd-namespace", space } });

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
