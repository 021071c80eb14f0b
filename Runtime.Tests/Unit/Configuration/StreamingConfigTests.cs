using Runtime.Host.Configuration;
using Xunit;

namespace Runtime.Tests.Unit.Configuration;

/// <summary>The keys of exec, attach and port-forward.</summary>
public sealed class StreamingConfigTests
{
    private const string Table = "version = 4\n[plugins.\"io.containerd.grpc.v1.cri\"]\n";

    [Fact]
    public void Streams_are_served_on_loopback_on_any_port_for_four_hours_where_nothing_is_said()
    {
        var streaming = ConfigLoader.Parse("version = 4\n", "a.toml").Config.Streaming;

        Assert.Equal(("127.0.0.1", 0, TimeSpan.FromHours(4), false), (streaming.Address, streaming.Port, streaming.IdleTimeout, streaming.Tls));
        Assert.Equal(("", ""), (streaming.CertificateFile, streaming.KeyFile));
    }

    [Fact]
    public void Every_key_is_taken()
    {
        var streaming = ConfigLoader.Parse(
            Table + """
            stream_server_address = "::1"
            stream_server_port = "10010"
            stream_idle_timeout = "90s"
            enable_tls_streaming = true
            [plugins."io.containerd.grpc.v1.cri".x509_key_pair_streaming]
            tls_cert_file = "/etc/tls.crt"
            tls_key_file = "/etc/tls.key"
            """, "a.toml").Config.Streaming;

        Assert.Equal(("::1", 10010, TimeSpan.FromSeconds(90), true), (streaming.Address, streaming.Port, streaming.IdleTimeout, streaming.Tls));
        Assert.Equal(("/etc/tls.crt", "/etc/tls.key"), (streaming.CertificateFile, streaming.KeyFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    public void Old_names_of_this_machine_are_loopback(string address) =>
        Assert.Equal("127.0.0.1", ConfigLoader.Parse($"{Table}stream_server_address = \"{address}\"\n", "a.toml").Config.Streaming.Address);

    [Theory]
    [InlineData("stream_server_address = \"node.example\"", "stream_server_address")]
    [InlineData("stream_server_port = \"65536\"", "stream_server_port")]
    [InlineData("stream_server_port = \"-1\"", "stream_server_port")]
    [InlineData("stream_server_port = \"http\"", "stream_server_port")]
    [InlineData("stream_idle_timeout = \"soon\"", "stream_idle_timeout")]
    [InlineData("enable_tls_streaming = true\nx509_key_pair_streaming = { tls_cert_file = \"/a\" }", "tls_key_file")]
    [InlineData("enable_tls_streaming = true\nx509_key_pair_streaming = { tls_key_file = \"/a\" }", "tls_cert_file")]
    [InlineData("x509_key_pair_streaming = { tls_cert_file = \"/a\", tls_key_file = \"/b\" }", "enable_tls_streaming")]
    public void What_cannot_be_meant_is_refused_by_its_name(string lines, string named)
    {
        var wrong = Assert.Throws<ConfigException>(() => ConfigLoader.Parse($"{Table}{lines}\n", "a.toml"));

        Assert.Contains(named, wrong.Message, StringComparison.Ordinal);
    }
}
