using Runtime.Oci.Registry;
using Xunit;

namespace Runtime.Tests.Unit.Registry;

public sealed class RegistryCredentialTests
{
    [Theory]
    [InlineData("", true, false)]
    [InlineData("https://index.docker.io/v1/", true, false)]
    [InlineData("docker.io", true, false)]
    [InlineData("registry-1.docker.io", true, false)]
    [InlineData("mirror.example", false, true)]
    [InlineData("https://mirror.example/v2/", false, true)]
    [InlineData("mirror.example:5000", false, false)]
    [InlineData("other.example", false, false)]
    [InlineData("not a url", false, false)]
    public void A_credential_goes_to_the_registry_or_to_whom_it_names(string address, bool toHub, bool toMirror)
    {
        var credential = new RegistryCredential { Username = "a", Password = "b", ServerAddress = address };
        var hosts = HostsFile.Parse("""[host."https://mirror.example"]""", "docker.io", "/c");

        Assert.Equal((toMirror, toHub), (RegistrySession.IsFor(hosts[0], credential), RegistrySession.IsFor(hosts[1], credential)));
    }

    [Fact]
    public void No_secret_is_ever_shown()
    {
        var credential = new RegistryCredential
        {
            Username = "alice",
            Password = "secret1",
            IdentityToken = "secret2",
            RegistryToken = "secret3",
            ServerAddress = "a.example",
        };
        var host = RegistryHost.DefaultFor("a.example") with { Headers = [("Authorization", "secret4")] };

        Assert.DoesNotContain("secret", $"{credential} {host}", StringComparison.Ordinal);
        Assert.Contains("alice", credential.ToString(), StringComparison.Ordinal);
    }
}
