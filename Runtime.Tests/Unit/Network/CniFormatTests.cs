using System.Text;
using Runtime.Actors.Network;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Network;

public sealed class CniFormatTests
{
    [Theory]
    [InlineData("""{"cniVersion": "0.2.0", "ip4": {"ip": "10.1.0.5/24"}, "ip6": {"ip": "fd00::5/64"}}""", "10.1.0.5 fd00::5")]
    [InlineData("""{"cniVersion": "0.3.1", "ips": [{"version": "4", "address": "10.1.0.5/24"}]}""", "10.1.0.5")]
    [InlineData("""
        {"cniVersion": "1.0.0", "interfaces": [{"name": "br0"}, {"name": "eth0", "sandbox": "/run/netns/x"}],
         "ips": [{"address": "10.1.0.1/24", "interface": 0}, {"address": "10.1.0.5/24", "interface": 1}]}
        """, "10.1.0.5")]
    [InlineData("""{"cniVersion": "1.0.0"}""", "")]
    public void Addresses_of_every_version_are_read(string json, string expected)
    {
        var result = CniResult.Parse(Encoding.UTF8.GetBytes(json), "plug");

        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), CniResult.Addresses(result, "plug"));
    }

    [Theory]
    [InlineData("""{"ips": [{"address": "nowhere"}]}""")]
    [InlineData("""{"ips": [{"address": 5}]}""")]
    [InlineData("""{"ips": [{"address": "10.0.0.1/8", "interface": "zero"}], "interfaces": []}""")]
    public void An_address_that_is_none_is_refused(string json)
    {
        var result = CniResult.Parse(Encoding.UTF8.GetBytes(json), "plug");

        var failure = Assert.Throws<FaultException>(() => CniResult.Addresses(result, "plug"));

        Assert.Equal("cni.invalid-result", failure.Fault.Code);
    }

    [Theory]
    [InlineData("1k", 1_000ul)]
    [InlineData("10M", 10_000_000ul)]
    [InlineData("1.5G", 1_500_000_000ul)]
    [InlineData("1Mi", 1_048_576ul)]
    [InlineData("1e6", 1_000_000ul)]
    [InlineData("1P", 1_000_000_000_000_000ul)]
    public void Bandwidth_is_a_quantity(string text, ulong rate) =>
        Assert.Equal(new CniBandwidth(0, rate), BandwidthAnnotations.Parse(
            new Dictionary<string, string> { ["kubernetes.io/egress-bandwidth"] = text }));

    [Theory]
    [InlineData("")]
    [InlineData("much")]
    [InlineData("999")]
    [InlineData("2P")]
    [InlineData("-5M")]
    [InlineData("5Q")]
    [InlineData("99999999999999999999999999999999999T")]
    [InlineData("1e99999")]
    public void Bandwidth_that_is_none_is_refused_by_name(string text)
    {
        var failure = Assert.Throws<FaultException>(() => BandwidthAnnotations.Parse(
            new Dictionary<string, string> { ["kubernetes.io/ingress-bandwidth"] = text }));

        Assert.Equal(FaultKind.InvalidArgument, failure.Fault.Kind);
        Assert.Contains("kubernetes.io/ingress-bandwidth", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_annotations_there_is_no_limit() =>
        Assert.Null(BandwidthAnnotations.Parse(new Dictionary<string, string>()));
}
