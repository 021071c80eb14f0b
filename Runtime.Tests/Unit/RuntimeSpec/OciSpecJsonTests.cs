using System.Text;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;
using Xunit;

namespace Runtime.Tests.Unit.RuntimeSpec;

public sealed class OciSpecJsonTests
{
    [Fact]
    public void The_process_alone_is_the_one_of_the_whole_document()
    {
        var json = """
            {"ociVersion":"1.2.0","linux":{"process":{"args":["wrong"]}},"mounts":[{"destination":"/proc"}],
             "process":{"args":["sh","-c","true"],"cwd":"/","env":["A=b"],"user":{"uid":7}},"hostname":"h"}
            """u8;

        var process = OciSpecJson.ReadProcess(json, "config.json");

        Assert.NotNull(process);
        Assert.Equal(OciSpecJson.Write(OciSpecJson.Read(json, "config.json").Process!), OciSpecJson.Write(process));
        Assert.Equal(["sh", "-c", "true"], process.Args);
    }

    [Fact]
    public void A_document_without_a_process_has_none() =>
        Assert.Null(OciSpecJson.ReadProcess("""{"ociVersion":"1.2.0","linux":{}}"""u8, "config.json"));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"linux":{"a":1""")]
    [InlineData("""{"process":{"args":5}}""")]
    public void What_is_no_document_is_refused_with_its_name(string json)
    {
        var refused = Assert.Throws<FaultException>(() => OciSpecJson.ReadProcess(Encoding.UTF8.GetBytes(json), "config.json"));

        Assert.Equal((FaultKind.InvalidArgument, "spec.invalid"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.StartsWith("config.json: ", refused.Message, StringComparison.Ordinal);
    }
}
