using Runtime.Faults;
using Runtime.Ttrpc.Actord;
using Xunit;

namespace Runtime.Tests.Unit.Ttrpc;

public sealed class CriLogUriTests
{
    [Theory]
    [InlineData("/var/log/pods/ns_pod_uid/c/0.log")]
    [InlineData("/var/log/with space/and?query&amp=1/ümlaut%41.log")]
    public void A_formatted_uri_parses_to_itself(string path)
    {
        var uri = new CriLogUri(path, 100, 1 << 24, IsTerminal: true);

        Assert.Equal(uri, CriLogUri.Parse(uri.ToString()));
    }

    [Fact]
    public void The_documented_form_is_what_is_written() => Assert.Equal(
        "cri:///abs/path?max-line=16384&max-size=16777216&tty=0", new CriLogUri("/abs/path", 16384, 16777216).ToString());

    [Fact]
    public void Missing_parameters_have_defaults_and_unknown_ones_are_ignored() =>
        Assert.Equal(new CriLogUri("/p"), CriLogUri.Parse("cri:///p?later=x"));

    [Theory]
    [InlineData("cri://relative")]
    [InlineData("file:///p")]
    [InlineData("cri:///p?max-line=-1")]
    [InlineData("cri:///p?max-size=x")]
    [InlineData("cri:///p?max-line=99999999999")]
    public void What_is_no_log_uri_is_refused(string uri) =>
        Assert.Equal("log.bad-uri", Assert.Throws<FaultException>(() => CriLogUri.Parse(uri)).Fault.Code);
}
