using Akka.Event;
using Runtime.Actors.Network;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Network;

public sealed class PodCidrsTests : IDisposable
{
    private const string Template =
        """{"cniVersion": "1.0.0", "name": "made", "plugins": [{"type": "plug", "subnet": "{{.PodCIDR}}", "routes": "{{.Routes}}"}]}""";

    private readonly TempDirectory _directory = new();
    private readonly CniOptions _options;
    private readonly CniConfigLoader _loader;

    public PodCidrsTests()
    {
        _options = new CniOptions
        {
            BinDirs = [_directory["bin"]],
            ConfDir = _directory["etc/net.d"],
            ConfTemplate = _directory["template"],
            CacheDir = _directory["cache"],
        };
        Directory.CreateDirectory(_directory["bin"]);
        File.WriteAllText(_directory["bin/plug"], "");
        File.WriteAllText(_options.ConfTemplate, Template);
        _loader = new CniConfigLoader(_options, TimeProvider.System, NoLogger.Instance);
    }

    private string Written => Path.Combine(_options.ConfDir, "10-containerd-net.conflist");

    public void Dispose()
    {
        _loader.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("10.1.0.0/24", "10.1.0.0/24", "[0.0.0.0/0]")]
    [InlineData("fd00::/64, 10.1.0.0/24", "fd00::/64", "[0.0.0.0/0 ::/0]")]
    public void The_network_is_there_as_soon_as_the_addresses_are_known(string ranges, string first, string routes)
    {
        new PodCidrs(_options, _loader).Apply(ranges);

        Assert.Contains(first, File.ReadAllText(Written), StringComparison.Ordinal);
        Assert.Contains(routes, File.ReadAllText(Written), StringComparison.Ordinal);
        Assert.Equal("made", Assert.Single(_loader.Current.Networks).Name);
        Assert.Null(_loader.Current.Fault);
        Assert.True(File.GetUnixFileMode(Written).HasFlag(UnixFileMode.OtherRead));
    }

    [Fact]
    public void A_network_that_is_there_is_left_alone()
    {
        var cidrs = new PodCidrs(_options, _loader);
        cidrs.Apply("10.1.0.0/24");
        var before = File.ReadAllText(Written);

        cidrs.Apply("10.2.0.0/24");

        Assert.Equal(before, File.ReadAllText(Written));
    }

    [Fact]
    public void A_network_whose_plugin_is_missing_is_somebodys_all_the_same()
    {
        Directory.CreateDirectory(_options.ConfDir);
        File.WriteAllText(Path.Combine(_options.ConfDir, "20-own.conf"), """{"name": "own", "type": "not-yet-installed"}""");

        new PodCidrs(_options, _loader).Apply("10.1.0.0/24");

        Assert.False(File.Exists(Written));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" , ")]
    public void Without_addresses_nothing_is_written(string ranges)
    {
        new PodCidrs(_options, _loader).Apply(ranges);

        Assert.False(Directory.Exists(_options.ConfDir));
    }

    [Fact]
    public void Without_a_template_nothing_is_written()
    {
        new PodCidrs(_options with { ConfTemplate = "" }, _loader).Apply("10.1.0.0/24");

        Assert.False(Directory.Exists(_options.ConfDir));
    }

    [Theory]
    [InlineData("10.1.0.0")]
    [InlineData("10.1.0.0/33")]
    [InlineData("fd00::/129")]
    [InlineData("10.1.0.0/24,nonsense/8")]
    [InlineData("10.1.0.0/24/8")]
    [InlineData("10.1.0.0/-1")]
    public void What_is_no_range_is_refused_with_or_without_a_template(string ranges)
    {
        foreach (var options in new[] { _options, _options with { ConfTemplate = "" } })
            Assert.Equal(FaultKind.InvalidArgument, Assert.Throws<FaultException>(() => new PodCidrs(options, _loader).Apply(ranges)).Fault.Kind);
        Assert.False(Directory.Exists(_options.ConfDir));
    }

    [Theory]
    [InlineData("""{"cniVersion": "1.0.0", "name": "made", "plugins": []}""", "cni.invalid-config")]
    [InlineData("{{.Nothing}}", "cni.invalid-template")]
    [InlineData(null, "cni.invalid-template")]
    public void A_template_that_makes_no_network_leaves_no_file(string? template, string code)
    {
        if (template is null) File.Delete(_options.ConfTemplate);
        else File.WriteAllText(_options.ConfTemplate, template);

        var refused = Assert.Throws<FaultException>(() => new PodCidrs(_options, _loader).Apply("10.1.0.0/24"));

        Assert.Equal(code, refused.Fault.Code);
        Assert.Contains(_options.ConfTemplate, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Written));
    }
}
