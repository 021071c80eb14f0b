using System.Text;
using Runtime.Shim.Oci;
using Xunit;

namespace Runtime.Tests.Unit.Monitor;

public sealed class RuntimeLogTests
{
    private const string OneLine = """{"level":"error","msg":"first","time":"2026-01-01T00:00:00Z"}""";
    private const string SeveralLines = """
        {
          "msg": "cgroups in hybrid mode not supported, drop all controllers from cgroupv2",
          "level": "error",
          "time": "2026-01-01T00:00:00.445002Z"
        }
        """;

    [Theory]
    [InlineData(OneLine, "first")]
    [InlineData(SeveralLines, "cgroups in hybrid mode not supported, drop all controllers from cgroupv2")]
    [InlineData(SeveralLines + "\n" + OneLine + "\n", "first")]
    [InlineData(OneLine + OneLine, "first")]
    [InlineData("""{"level":"warning","msg":"soft"}""" + "\n" + OneLine + "\n" + """{"level":"info","msg":"soft"}""", "first")]
    [InlineData("""{"fields":{"level":"info","msg":"inner"},"level":"fatal","msg":"outer"}""", "outer")]
    [InlineData("""{"level":"error","msg":7}""", null)]
    [InlineData("panic: no JSON\n" + OneLine, "first")]
    [InlineData("[1]\n" + OneLine, "first")]
    [InlineData(OneLine + "\n{\n  \"level\": \"error\",\n  \"msg\": \"cut", "first")]
    [InlineData("{", null)]
    [InlineData(" \r\n\t", null)]
    [InlineData("", null)]
    public void The_last_error_counts_however_its_object_is_laid_out(string log, string? expected) =>
        Assert.Equal(expected, RuntimeLog.LastError(Encoding.UTF8.GetBytes(log)));

    [Fact]
    public void A_message_that_is_no_text_is_passed_over()
    {
        byte[] log = [.. Encoding.UTF8.GetBytes(OneLine), (byte)'\n', .. """{"level":"error","msg":"a"""u8, 0xff, .. "\"}"u8];
        Assert.Equal("first", RuntimeLog.LastError(log));
        Assert.Equal("first", RuntimeLog.LastError(Encoding.UTF8.GetBytes(OneLine + """{"level":"error","msg":"\ud800"}""")));
    }
}
