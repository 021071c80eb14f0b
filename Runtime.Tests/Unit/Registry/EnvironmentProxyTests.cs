using Runtime.Oci.Registry;
using Xunit;

namespace Runtime.Tests.Unit.Registry;

public sealed class EnvironmentProxyTests
{
    private static readonly EnvironmentProxy Proxy = new(new Dictionary<string, string>
    {
        ["HTTPS_PROXY"] = "http://user:p%40ss@proxy.example:3128",
        ["HTTP_PROXY"] = "plain.example:8080",
        ["NO_PROXY"] = "10.0.0.0/8, .sub.example,whole.example,port.example:5000,192.168.1.7,*.star.example,fd00::/8",
    });

    [Theory]
    [InlineData("https://registry.example/v2", "http://proxy.example:3128")]
    [InlineData("http://registry.example/v2", "http://plain.example:8080")]
    [InlineData("https://sub.example", "http://proxy.example:3128")]
    [InlineData("https://port.example:5001", "http://proxy.example:3128")]
    [InlineData("https://11.0.0.1", "http://proxy.example:3128")]
    [InlineData("https://notwhole.example", "http://proxy.example:3128")]
    [InlineData("https://a.sub.example", null)]
    [InlineData("https://whole.example", null)]
    [InlineData("https://a.whole.example", null)]
    [InlineData("https://port.example:5000", null)]
    [InlineData("https://10.1.2.3:5000", null)]
    [InlineData("https://[fd12::1]", null)]
    [InlineData("https://192.168.1.7", null)]
    [InlineData("https://a.star.example", null)]
    [InlineData("https://localhost:5000", null)]
    [InlineData("http://127.0.0.2", null)]
    [InlineData("http://[::1]:5000", null)]
    public void A_request_goes_through_the_proxy_or_not(string url, string? proxy)
    {
        Assert.Equal(proxy is null ? null : new Uri(proxy).Authority, Proxy.GetProxy(new Uri(url))?.Authority);
        Assert.Equal(proxy is null, Proxy.IsBypassed(new Uri(url)));
    }

    [Fact]
    public void The_proxy_gets_the_credentials_of_its_url()
    {
        var credential = Proxy.Credentials!.GetCredential(Proxy.GetProxy(new Uri("https://a.example"))!, "Basic");

        Assert.Equal(("user", "p@ss"), (credential!.UserName, credential.Password));
        Assert.Null(Proxy.Credentials.GetCredential(new Uri("https://a.example"), "Basic"));
    }

    [Fact]
    public void Without_variables_everything_is_direct() =>
        Assert.Null(new EnvironmentProxy(new Dictionary<string, string>()).GetProxy(new Uri("https://a.example")));
}
