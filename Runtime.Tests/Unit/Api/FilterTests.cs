using CsCheck;
using Runtime.Api.Filters;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Api;

public sealed class FilterTests
{
    private static readonly Dictionary<string, string> Fields = new()
    {
        ["id"] = "abc",
        ["name"] = "docker.io/library/busybox:latest",
    };

    private static readonly Dictionary<string, string> Labels = new()
    {
        ["app"] = "web",
        ["io.kubernetes.pod.name"] = "pod-1",
        ["quoted \"key\""] = "a,b c",
    };

    [Theory]
    [InlineData("", true)]
    [InlineData("id", true)]
    [InlineData("nothing", false)]
    [InlineData("id==abc", true)]
    [InlineData("id==ab", false)]
    [InlineData("id!=ab", true)]
    [InlineData("id!=abc", false)]
    [InlineData("nothing==x", false)]
    [InlineData("nothing!=x", true)]
    [InlineData("nothing~=.*", false)]
    [InlineData("id~=^a", true)]
    [InlineData("id~=^b", false)]
    [InlineData("name==docker.io/library/busybox:latest", true)]
    [InlineData("id==abc,labels.app==web", true)]
    [InlineData("id==abc,labels.app==db", false)]
    [InlineData("labels.\"io.kubernetes.pod.name\"==pod-1", true)]
    [InlineData("labels.io.kubernetes.pod.name==pod-1", true)]
    [InlineData("labels.\"quoted \\\"key\\\"\"==\"a,b c\"", true)]
    [InlineData("name~=/^docker\\.io\\/library\\//", true)]
    [InlineData("name~=|^docker|,id==abc", true)]
    [InlineData("id==\"a\\x62c\"", true)]
    public void A_filter_matches_as_containerds_does(string filter, bool matches) =>
        Assert.Equal(matches, Filter.Parse(filter).Matches(Read));

    [Theory]
    [InlineData("id=abc")]
    [InlineData("id==")]
    [InlineData("==abc")]
    [InlineData("id==abc,")]
    [InlineData("labels..x")]
    [InlineData("labels.\"x")]
    [InlineData("id==a b")]
    [InlineData("id~=(")]
    [InlineData("id~=(?=a)")]
    [InlineData("id~=/a")]
    [InlineData("id==\"\\q\"")]
    [InlineData("1id==a")]
    public void A_malformed_filter_is_an_invalid_argument(string filter)
    {
        var refused = Assert.Throws<FaultException>(() => Filter.Parse(filter));

        Assert.Equal(FaultKind.InvalidArgument, refused.Fault.Kind);
        Assert.Equal("filter.malformed", refused.Fault.Code);
    }

    [Fact]
    public void A_list_matches_when_one_of_its_filters_does_and_an_empty_list_always()
    {
        Assert.True(FilterList.Parse([]).Matches(Read));
        Assert.True(FilterList.Parse(["id==x", "id==abc"]).Matches(Read));
        Assert.False(FilterList.Parse(["id==x", "id==y"]).Matches(Read));
    }

    [Fact]
    public void Any_text_is_a_filter_or_an_invalid_argument() =>
        Gen.String[Gen.Char["aAzZ09_.,=!~\"\\/| \n(*[x"], 0, 24].Sample(text =>
        {
            try
            {
                Filter.Parse(text).Matches(Read);
                return true;
            }
            catch (FaultException refused)
            {
                return refused.Fault.Kind == FaultKind.InvalidArgument;
            }
        });

    [Fact]
    public void A_quoted_value_is_found_again_whatever_it_holds() =>
        Gen.String.Sample(value =>
        {
            var quoted = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            return Filter.Parse($"id==\"{quoted}\"").Matches(_ => value);
        });

    private static string? Read(ReadOnlySpan<string> path) =>
        path[0] == "labels" ? FieldPaths.Label(Labels, path) : Fields.GetValueOrDefault(path[0]);
}
