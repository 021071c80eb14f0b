using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Runtime.Actors.Containers;
using Runtime.Faults;
using Runtime.Oci.BlockIo;
using Runtime.Oci.RuntimeSpec;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Containers;

public sealed class BlockIoClassesTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_file_of_classes_is_read_in_any_case_with_the_suffixes_of_kubernetes()
    {
        var classes = Parse("""
            Classes:
              Slow:
              - Weight: 50
              - Devices: [ "/dev/sd[a-z]", /dev/nvme0n1 ]
                ThrottleReadBps: 60M
                throttleWriteBPS: 1.5Ki
                ThrottleReadIOPS: "7"
              fast: []
            """);

        Assert.Equal(["Slow", "fast"], classes.Keys);
        Assert.Equal(50, classes["Slow"][0].Weight);
        var throttled = classes["Slow"][1];
        Assert.Equal(["/dev/sd[a-z]", "/dev/nvme0n1"], throttled.Devices);
        Assert.Equal((60_000_000L, 1536L, 7L, null), (throttled.ReadBps, throttled.WriteBps, throttled.ReadIops, throttled.WriteIops));
        Assert.Empty(classes["fast"]);
    }

    [Theory]
    [InlineData("[]", "not a mapping")]
    [InlineData("classes: 5", "not a mapping")]
    [InlineData("sets: {}", "sets")]
    [InlineData("classes: {a: {}}", "class a is not a list")]
    [InlineData("classes: {a: [{wait: 5}]}", "wait")]
    [InlineData("classes: {a: [{weight: 5}]}", "weight")]
    [InlineData("classes: {a: [{weight: 1001}]}", "weight")]
    [InlineData("classes: {a: [{devices: [sda], weight: 50}]}", "sda")]
    [InlineData("classes: {a: [{throttlereadbps: 5}]}", "needs devices")]
    [InlineData("classes: {a: [{devices: [/dev/a], throttlereadbps: -5}]}", "-5")]
    [InlineData("classes: {a: [{devices: [/dev/a], throttlereadbps: 5X}]}", "5X")]
    [InlineData("classes: {a: [{devices: [/dev/a], throttlereadbps: 999999999T}]}", "999999999T")]
    public void What_is_no_such_file_is_named(string yaml, string problem)
    {
        var refused = Assert.Throws<FaultException>(() => Parse(yaml));

        Assert.Equal("blockio.invalid-config", refused.Fault.Code);
        Assert.Contains("/etc/blockio.yaml", refused.Message, StringComparison.Ordinal);
        Assert.Contains(problem, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_class_becomes_the_disks_of_its_globs_and_partitions_are_left_out()
    {
        await NodeAsync("disk-a", 7, 1, isDisk: true);
        await NodeAsync("disk-b", 7, 2, isDisk: true);
        await NodeAsync("disk-b1", 7, 3, isDisk: false);
        File.WriteAllText(_directory["disk-file"], "");
        var all = $"{_directory.Path}/disk-*";
        var classes = new BlockIoClasses(Parse($$"""
            classes:
              slow:
              - weight: 100
              - devices: ["{{all}}"]
                throttlereadbps: 1000
                weight: 20
              - devices: ["{{_directory.Path}}/disk-[b-c]"]
                throttlereadbps: 2000
              none:
              - devices: [/dev/no-such-disk]
                throttlewriteiops: 5
            """), _directory["sys"]);

        var json = Json(classes.Find("slow")!);
        Assert.Equal(100, (int?)json["weight"]);
        Assert.Equal("""[{"major":7,"minor":1,"weight":20},{"major":7,"minor":2,"weight":20}]""", json["weightDevice"]!.ToJsonString());
        Assert.Equal("""[{"major":7,"minor":1,"rate":1000},{"major":7,"minor":2,"rate":2000}]""", json["throttleReadBpsDevice"]!.ToJsonString());
        Assert.Equal("{}", Json(classes.Find("none")!).ToJsonString());
        Assert.Null(classes.Find("other"));
    }

    [Fact]
    public void A_container_gets_the_class_that_its_annotations_name_and_no_other()
    {
        var policy = new ContainerPolicy { BlockIo = new BlockIoClasses(Parse("classes: {slow: [{weight: 100}]}")) };
        var pod = SpecRequests.Sandbox with
        {
            Config = SpecRequests.Sandbox.Config with { Annotations = Annotated("blockio.resources.beta.kubernetes.io/pod", "slow") },
        };

        ResourceClasses.Check(SpecRequests.Config, pod, policy);
        var class100 = ResourceClasses.BlockIoOf(SpecRequests.Config, pod, policy);
        Assert.Equal((ushort)100, class100!.Weight);
        var spec = ContainerSpecBuilder.Build(SpecRequests.Plain with { Facts = SpecRequests.Plain.Facts with { BlockIo = class100 } });
        Assert.Equal((ushort)100, spec.Linux!.Resources!.BlockIo!.Weight);
        Assert.Null(ResourceClasses.BlockIoOf(SpecRequests.Config, SpecRequests.Sandbox, policy));
        var other = SpecRequests.Config with { Annotations = Annotated("io.kubernetes.cri.blockio-class", "fast") };
        // Ignored is only that there are no classes at all.
        var refused = Assert.Throws<FaultException>(() => ResourceClasses.Check(other, pod, policy with { IgnoreBlockIoClasses = true }));
        Assert.Equal((FaultKind.FailedPrecondition, "container.no-class"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.Contains("there are slow", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sd[a-c]", "sdb", true)]
    [InlineData("sd[a-c]", "sdd", false)]
    [InlineData("sd[^a-c]", "sdd", true)]
    [InlineData("sd[^a-c]", "sda", false)]
    [InlineData("sd[ac]1", "sdc1", true)]
    [InlineData("sd[ac]1", "sdc2", false)]
    [InlineData("sd[a", "sd[a", true)]
    [InlineData("*[0-9]", "nvme0", true)]
    public void A_glob_can_list_characters(string glob, string name, bool matches) => Assert.Equal(matches, SpecAnnotations.Matches(glob, name));

    private static ImmutableSortedDictionary<string, string> Annotated(string key, string value) =>
        ImmutableSortedDictionary<string, string>.Empty.Add(key, value);

    private static ImmutableSortedDictionary<string, ImmutableArray<BlockIoRule>> Parse(string yaml) =>
        BlockIoConfig.Parse(Encoding.UTF8.GetBytes(yaml), "/etc/blockio.yaml");

    private static JsonNode Json(OciBlockIo blockIo) =>
        JsonNode.Parse(OciSpecJson.Write(new OciResources { BlockIo = blockIo }))!["blockIO"]!;

    private async Task NodeAsync(string name, uint major, uint minor, bool isDisk)
    {
        await Tool.RunAsync("mknod", _directory[name], "b", $"{major}", $"{minor}");
        Directory.CreateDirectory(_directory[$"sys/dev/block/{major}:{minor}{(isDisk ? "/queue" : "")}"]);
    }
}
