using Runtime.Faults;
using Runtime.Oci.Registry;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Registry;

public sealed class HostsFileTests
{
    [Fact]
    public void Hosts_are_tried_in_the_order_of_the_file_and_the_server_last()
    {
        var hosts = HostsFile.Parse(
            """
            server = "https://registry.example"
            [host."https://z.example"]
            capabilities = ["pull"]
            [host."http://a.example:8080/cache"]
              capabilities = ["pull", "resolve"]
              skip_verify = true
              ca = "ca.pem"
              client = [["client.cert", "client.key"], "both.pem"]
              dial_timeout = "1m1.5s"
              [host."http://a.example:8080/cache".header]
                x-one = "1"
                X-Many = ["a", "b"]
            [host."b.example"]
              override_path = true
              ca = ["/abs/ca.pem", "two.pem"]
            """, "registry.example", "/certs");

        Assert.Equal(
            ["https://z.example/v2", "http://a.example:8080/cache/v2", "https://b.example/", "https://registry.example/v2"],
            hosts.Select(host => host.Root.ToString()));
        Assert.Equal([false, false, false, true], hosts.Select(host => host.IsOrigin));
        Assert.Equal(
            [HostCapabilities.Pull, HostCapabilities.Pull | HostCapabilities.Resolve, HostCapabilities.All, HostCapabilities.All],
            hosts.Select(host => host.Capabilities));
        Assert.Equal([("x-one", "1"), ("X-Many", "a"), ("X-Many", "b")], hosts[1].Headers);
        Assert.Equal(["/certs/ca.pem"], hosts[1].Tls.Authorities);
        Assert.Equal([("/certs/client.cert", "/certs/client.key"), ("/certs/both.pem", "")], hosts[1].Tls.Clients);
        Assert.True(hosts[1].Tls.SkipVerify);
        Assert.Equal(TimeSpan.FromSeconds(61.5), hosts[1].DialTimeout);
        Assert.Equal(["/abs/ca.pem", "/certs/two.pem"], hosts[2].Tls.Authorities);
    }

    [Fact]
    public void Without_a_server_the_registry_itself_is_the_last_with_the_settings_of_the_top()
    {
        var hub = HostsFile.Parse("""ca = "hub.pem" """, "docker.io", "/c");
        var local = HostsFile.Parse("", "localhost:5000", "/c");

        Assert.Equal("https://registry-1.docker.io/v2", hub.Single().Root.ToString());
        Assert.Equal(["/c/hub.pem"], hub.Single().Tls.Authorities);
        Assert.False(hub.Single().NeedsNamespace);
        Assert.Equal("http://localhost:5000/v2", local.Single().Root.ToString());
    }

    [Fact]
    public void A_mirror_table_that_names_the_registry_itself_is_no_mirror()
    {
        var hosts = HostsFile.Parse("""[host."https://registry.example:5000"]""", "registry.example:5000", "/c");

        Assert.All(hosts, host => Assert.True(host.IsOrigin && !host.NeedsNamespace));
    }

    [Theory]
    [InlineData("server = 1")]
    [InlineData("server = \"ftp://a\"")]
    [InlineData("server = \"https://user:secret@a\"")]
    [InlineData("server = ")]
    [InlineData("host = 1")]
    [InlineData("[host.\"https://a\"]\ncapabilities = [\"fly\"]")]
    [InlineData("[host.\"https://a\"]\nskip_verify = \"yes\"")]
    [InlineData("[host.\"https://a\"]\ndial_timeout = \"5\"")]
    [InlineData("[host.\"https://a\"]\ndial_timeout = \"5 years\"")]
    [InlineData("[host.\"https://a\"]\nclient = 5")]
    [InlineData("[host.\"https://a\"]\nclient = [[\"a\", \"b\", \"c\"]]")]
    [InlineData("[[host]]\nca = \"a\"")]
    public void A_file_that_cannot_be_meant_is_refused_by_name(string text)
    {
        var fault = Assert.Throws<FaultException>(() => HostsFile.Parse(text, "a.example", "/certs/a.example")).Fault;

        Assert.Equal("registry.config", fault.Code);
        Assert.Contains("/certs/a.example/hosts.toml", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_directory_with_underscores_comes_before_the_one_with_a_colon_and_the_default()
    {
        using var root = new TempDirectory();
        string[] names = ["a.example_5000_", "a.example:5000", "_default"];
        foreach (var name in names)
        {
            Directory.CreateDirectory(root[name]);
            File.WriteAllText(Path.Combine(root[name], "hosts.toml"), $"server = \"https://{name.Trim('_').Replace(':', '-').Replace('_', '-')}.from\"");
        }

        foreach (var name in names)
        {
            Assert.Equal(
                name.Trim('_').Replace(':', '-').Replace('_', '-') + ".from",
                HostsDirectory.Find($"/nowhere:{root.Path}", "a.example:5000").Single().Authority);
            Directory.Delete(root[name], recursive: true);
        }
        Assert.Equal("a.example:5000", HostsDirectory.Find(root.Path, "a.example:5000").Single().Authority);
        Assert.Equal("a.example:5000", HostsDirectory.Find("", "a.example:5000").Single().Authority);
    }

    [Fact]
    public void Certificates_as_docker_names_them_count_where_there_is_no_file()
    {
        using var root = new TempDirectory();
        Directory.CreateDirectory(root["a.example"]);
        foreach (var name in (string[])["ca.crt", "client.cert", "client.key", "readme"]) File.WriteAllText(root[$"a.example/{name}"], "");

        var tls = HostsDirectory.Find(root.Path, "a.example").Single().Tls;

        Assert.Equal([root["a.example/ca.crt"]], tls.Authorities);
        Assert.Equal([(root["a.example/client.cert"], root["a.example/client.key"])], tls.Clients);
        File.Delete(root["a.example/client.key"]);
        Assert.Contains("client.key", Assert.Throws<FaultException>(() => HostsDirectory.Find(root.Path, "a.example")).Message, StringComparison.Ordinal);
    }
}
