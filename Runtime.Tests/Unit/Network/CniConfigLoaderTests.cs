using System.Diagnostics;
using System.Text.Json.Nodes;
using Akka.Event;
using Microsoft.Extensions.Time.Testing;
using Runtime.Actors.Network;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Network;

public sealed class CniConfigLoaderTests : IDisposable
{
    private const string Good = """{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "plug"}]}""";

    private readonly TempDirectory _directory = new();
    private readonly CniOptions _options;

    public CniConfigLoaderTests()
    {
        _options = new CniOptions
        {
            BinDirs = [_directory["bin"]],
            ConfDir = _directory["etc/net.d"],
            CacheDir = _directory["cache"],
        };
        Directory.CreateDirectory(_directory["bin"]);
        Directory.CreateDirectory(_options.ConfDir);
        File.WriteAllText(_directory["bin/plug"], "");
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_first_file_by_name_counts()
    {
        Write("20-b.conflist", Good.Replace("pods", "second", StringComparison.Ordinal));
        Write("10-a.conf", """{"name": "first", "type": "plug"}""");
        Write("05-other.txt", "not CNI");

        using var loader = Load();

        var network = Assert.Single(loader.Current.Networks);
        Assert.Equal("first", network.Name);
        Assert.Equal("0.1.0", network.CniVersion);
        Assert.Null(loader.Current.Fault);
    }

    [Theory]
    [InlineData(1, new[] { "a" })]
    [InlineData(2, new[] { "a", "b" })]
    [InlineData(0, new[] { "a", "b", "c" })]
    public void No_more_files_than_asked_for_are_used(int max, string[] names)
    {
        foreach (var name in new[] { "c", "a", "b" }) Write($"{name}.json", $$"""{"name": "{{name}}", "type": "plug"}""");

        using var loader = Load(_options with { MaxConfNum = max });

        Assert.Equal(names, loader.Current.Networks.Select(network => network.Name));
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("""{"name": "n", "plugins": []}""", "no plugins")]
    [InlineData("""{"name": "n", "plugins": {}}""", "not a list")]
    [InlineData("""{"name": "n", "plugins": [{}]}""", "type")]
    [InlineData("""{"name": "n", "plugins": [{"type": "../../bin/sh"}]}""", "../../bin/sh")]
    [InlineData("""{"name": "../n", "type": "plug"}""", "../n")]
    [InlineData("""{"type": "plug"}""", "name")]
    [InlineData("""{"name": 5, "type": "plug"}""", "\"name\" is not a string")]
    [InlineData("""{"name": "n", "type": "plug", "cniVersion": "9.0.0"}""", "9.0.0")]
    public void A_broken_file_is_named_and_the_next_one_is_not_taken_instead(string json, string problem)
    {
        Write("10-broken.conflist", json);
        Write("20-good.conflist", Good);

        using var loader = Load();

        Assert.Empty(loader.Current.Networks);
        Assert.Contains("10-broken.conflist", loader.Current.Fault!.Message, StringComparison.Ordinal);
        Assert.Contains(problem, loader.Current.Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_highest_version_that_is_known_is_used()
    {
        Write("a.json", """{"name": "n", "type": "plug", "cniVersions": ["0.4.0", "1.0.0", "7.0.0"]}""");

        using var loader = Load();

        Assert.Equal("1.0.0", loader.Current.Networks[0].CniVersion);
    }

    [Fact]
    public async Task A_configuration_that_appears_is_noticed_at_once()
    {
        using var loader = Load();
        Assert.Contains("net.d", loader.Current.Fault!.Message, StringComparison.Ordinal);

        Write("10.conflist", Good);

        await UntilAsync(() => loader.Current.Fault is null);
    }

    [Fact]
    public async Task A_directory_that_is_deleted_and_made_again_is_followed()
    {
        Write("10.conflist", Good);
        using var loader = Load();

        Directory.Delete(_options.ConfDir, recursive: true);
        await UntilAsync(() => loader.Current.Fault is not null);
        Directory.CreateDirectory(_options.ConfDir);
        Write("10.conflist", Good);

        await UntilAsync(() => loader.Current.Fault is null);
    }

    [Fact]
    public async Task A_directory_whose_parent_is_missing_too_is_found_by_polling()
    {
        Directory.Delete(_directory["etc"], recursive: true);
        var clock = new FakeTimeProvider();
        using var loader = new CniConfigLoader(_options, clock, NoLogger.Instance);

        Directory.CreateDirectory(_options.ConfDir);
        Write("10.conflist", Good);
        Assert.NotNull(loader.Current.Fault);
        clock.Advance(_options.PollInterval);

        await UntilAsync(() => loader.Current.Fault is null);
    }

    [Fact]
    public void A_plugin_that_comes_after_its_configuration_makes_the_network_ready()
    {
        File.Delete(_directory["bin/plug"]);
        Write("10.conflist", Good);
        var clock = new FakeTimeProvider();
        using var loader = new CniConfigLoader(_options, clock, NoLogger.Instance);
        var status = new NetworkStatus(loader, _options);
        Assert.False(status.Ready);
        Assert.Contains("plug", status.Message, StringComparison.Ordinal);

        File.WriteAllText(_directory["bin/plug"], "");
        clock.Advance(_options.PollInterval);

        Assert.True(status.Ready);
        Assert.Equal("", status.Message);
    }

    [Fact]
    public void Status_shows_the_configuration_as_containerd_does()
    {
        Write("10.conflist", Good);
        using var loader = Load();

        var json = JsonNode.Parse(new NetworkStatus(loader, _options).ConfigJson)!;

        Assert.Equal("eth0", (string?)json["Networks"]![0]!["IFName"]);
        Assert.Equal("pods", (string?)json["Networks"]![0]!["Config"]!["Name"]);
        Assert.Equal("plug", (string?)json["Networks"]![0]!["Config"]!["Plugins"]![0]!["Network"]!["type"]);
        Assert.Equal(_options.ConfDir, (string?)json["PluginConfDir"]);
    }

    private static async Task UntilAsync(Func<bool> reached)
    {
        var waited = Stopwatch.StartNew();
        while (!reached())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(4), "It was not noticed.");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    // An hour between polls: what is noticed is noticed by watching.
    private CniConfigLoader Load(CniOptions? options = null) =>
        new((options ?? _options) with { PollInterval = TimeSpan.FromHours(1) }, TimeProvider.System, NoLogger.Instance);

    private void Write(string name, string json) => File.WriteAllText(Path.Combine(_options.ConfDir, name), json);
}
