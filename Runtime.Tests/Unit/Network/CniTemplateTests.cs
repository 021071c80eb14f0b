using System.Text.Json.Nodes;
using Runtime.Actors.Network;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Network;

public sealed class CniTemplateTests
{
    private static readonly CniTemplateData Data = new("10.1.0.0/24", ["10.1.0.0/24", "fd00::/64"], ["0.0.0.0/0", "::/0"]);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{{.PodCIDR}}", "10.1.0.0/24")]
    [InlineData("{{ $.PodCIDR }}", "10.1.0.0/24")]
    [InlineData("{{index .PodCIDRRanges 1}}", "fd00::/64")]
    [InlineData("{{len .Routes}}", "2")]
    [InlineData("{{.Routes}}", "[0.0.0.0/0 ::/0]")]
    [InlineData("{{range .Routes}}<{{.}}>{{end}}", "<0.0.0.0/0><::/0>")]
    [InlineData("{{range $r := .Routes}}<{{$r}}{{$.PodCIDR}}>{{end}}", "<0.0.0.0/010.1.0.0/24><::/010.1.0.0/24>")]
    [InlineData("{{range $i, $r := .Routes}}{{if $i}}, {{end}}{{$r}}{{end}}", "0.0.0.0/0, ::/0")]
    [InlineData("{{range $i, $a := .Routes}}{{range $b := $.Routes}}{{$i}}{{$b}} {{end}}{{end}}", "00.0.0.0/0 0::/0 10.0.0.0/0 1::/0 ")]
    [InlineData("{{if .Routes}}some{{else}}none{{end}}", "some")]
    [InlineData("a {{- /* why */ -}} b", "ab")]
    [InlineData("a\n  {{- if .PodCIDR -}}  \n b{{end}}", "ab")]
    public void A_template_becomes_its_text(string template, string text) =>
        Assert.Equal(text, CniTemplate.Render(template, "t", Data));

    [Theory]
    [InlineData("{{range .Routes}}x{{else}}none{{end}}", "none")]
    [InlineData("{{if .Routes}}{{index .Routes 9}}{{else}}none{{end}}", "none")]
    [InlineData("{{range $i, $r := .Routes}}{{index .Routes 9}}{{$r}}{{end}}", "")]
    public void What_is_not_shown_is_not_evaluated(string template, string text) =>
        Assert.Equal(text, CniTemplate.Render(template, "t", Data with { Routes = [] }));

    [Theory]
    [InlineData("{{.PodCIDR", "not closed")]
    [InlineData("{{.Name}}", "{{.Name}}")]
    [InlineData("{{$x}}", "{{$x}}")]
    [InlineData("{{end}}", "{{end}}")]
    [InlineData("{{if .PodCIDR}}", "{{if .PodCIDR}}")]
    [InlineData("{{range .Routes}}", "{{range .Routes}}")]
    [InlineData("{{range .PodCIDR}}{{end}}", "no list")]
    [InlineData("{{index .Routes 2}}", "there are 2")]
    [InlineData("{{printf \"%s\" .PodCIDR}}", "printf")]
    [InlineData("{{.}}", "whole data")]
    public void What_is_not_understood_is_named(string template, string problem)
    {
        var refused = Assert.Throws<FaultException>(() => CniTemplate.Render(template, "/etc/t.template", Data));

        Assert.Equal("cni.invalid-template", refused.Fault.Code);
        Assert.Contains("/etc/t.template", refused.Message, StringComparison.Ordinal);
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_template_that_containerd_documents_becomes_a_network()
    {
        const string Documented = """
            {
              "name": "containerd-net",
              "cniVersion": "1.0.0",
              "plugins": [
                {
                  "type": "bridge",
                  "ipam": {
                    "type": "host-local",
                    "ranges": [{{range $i, $range := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$range}}"}]{{end}}],
                    "routes": [{{range $i, $route := .Routes}}{{if $i}}, {{end}}{"dst": "{{$route}}"}{{end}}]
                  }
                },
                { "type": "portmap", "capabilities": {"portMappings": true} }
              ]
            }
            """;

        var written = CniTemplate.Render(Documented, "t", Data);

        Assert.Equal(["bridge", "portmap"], CniNetworkConfig.Parse(written, "t").Plugins.Select(plugin => plugin.Type));
        var ipam = JsonNode.Parse(written)!["plugins"]![0]!["ipam"]!;
        Assert.Equal("""[[{"subnet":"10.1.0.0/24"}],[{"subnet":"fd00::/64"}]]""", ipam["ranges"]!.ToJsonString());
        Assert.Equal("""[{"dst":"0.0.0.0/0"},{"dst":"::/0"}]""", ipam["routes"]!.ToJsonString());
    }
}
