using Runtime.Actors.Devices;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Devices;

public sealed class CdiRegistryTests : IDisposable
{
    private const string Cards = """
        cdiVersion: "0.6.0"
        kind: example.com/card
        containerEdits:
          env: [ "COMMON=1" ]
          hooks:
            - { hookName: createContainer, path: /usr/bin/hook, args: [ hook, --all ], timeout: 5 }
        devices:
          - name: 0
            containerEdits:
              deviceNodes:
                - path: /dev/card0
                  hostPath: /dev/null
                  permissions: rw
                  fileMode: 0660
          - name: "one"
            containerEdits:
              env:
                - CARD=one
              additionalGids: [ 44 ]
              mounts:
                - hostPath: /usr/lib/card
                  containerPath: /usr/lib/card
                  options: [ ro, bind ]
        """;

    private readonly TempDirectory _place = new();
    private readonly CdiRegistry _registry;

    public CdiRegistryTests()
    {
        foreach (var name in new[] { "etc", "run" }) Directory.CreateDirectory(_place[name]);
        _registry = new CdiRegistry([_place["etc"], _place["run"], _place["missing"]]);
    }

    public void Dispose() => _place.Dispose();

    [Fact]
    public void What_is_common_to_a_file_comes_once_and_before_the_devices()
    {
        File.WriteAllText(_place["etc/cards.yaml"], Cards);

        var edits = _registry.Resolve(["example.com/card=one", "example.com/card=0", "example.com/card=one"]);
        Assert.Equal(3, edits.Length);
        Assert.Equal(["COMMON=1"], edits[0].Environment);
        var hook = Assert.Single(edits[0].Hooks!);
        Assert.Equal(("createContainer", "/usr/bin/hook", 5), (hook.Name, hook.Path, hook.Timeout));
        Assert.Equal(["CARD=one"], edits[1].Environment);
        Assert.Equal([44u], edits[1].AdditionalGids);
        Assert.Equal(["ro", "bind"], Assert.Single(edits[1].Mounts!).Options);
        // Type and numbers are those of the host's device.
        var node = Assert.Single(edits[2].DeviceNodes!);
        Assert.Equal(("/dev/card0", "c", 1L, 3L, 0b110_110_000u), (node.Path, node.Type, node.Major, node.Minor, node.FileMode));
    }

    [Fact]
    public void A_later_directory_comes_before_an_earlier_one()
    {
        Json("etc/a.json", "A=etc");
        Json("run/b.json", "A=run");
        Assert.Equal(["A=run"], Assert.Single(_registry.Resolve(["example.com/card=0"])).Environment);
    }

    [Fact]
    public void Two_files_of_one_directory_with_the_same_device_make_it_unresolvable()
    {
        Json("etc/a.json", "A=a");
        Json("etc/b.json", "A=b");
        Assert.Contains("another file", Refused("example.com/card=0"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_file_takes_only_its_own_devices_away()
    {
        Json("etc/good.json", "A=1");
        File.WriteAllText(_place["etc/bad.yaml"], "kind: [unclosed");
        Assert.Single(_registry.Resolve(["example.com/card=0"]));
        Assert.Contains("bad.yaml", Refused("example.com/other=0"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.com/card=7")]
    [InlineData("card")]
    [InlineData("../../etc=passwd")]
    public void A_device_that_no_file_has_is_named(string name)
    {
        File.WriteAllText(_place["etc/cards.yaml"], Cards);
        Assert.Contains(name, Refused(name), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a: &x [1]\nb: *x\n", "aliases")]
    [InlineData("cdiVersion: 1.0.0\nkind: card\n", "vendor/class")]
    [InlineData("cdiVersion: 1.0.0\nkind: example.com/card\ndevices: [{name: a}, {name: a}]\n", "twice")]
    [InlineData("cdiVersion: 1.0.0\nkind: example.com/card\ndevices: [{name: a, containerEdits: {env: [novalue]}}]\n", "NAME=value")]
    [InlineData("cdiVersion: 1.0.0\nkind: example.com/card\ndevices: [{name: a, containerEdits: {hooks: [{hookName: x, path: /y}]}}]\n", "hook")]
    [InlineData("kind: example.com/card\n", "cdiVersion")]
    public void Why_a_file_is_no_use_is_said(string yaml, string says)
    {
        File.WriteAllText(_place["etc/bad.yaml"], yaml);
        Assert.Contains(says, Refused("example.com/card=a"), StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_without_end_is_refused()
    {
        File.WriteAllText(_place["etc/deep.yaml"], new string('[', 2000));
        Assert.Contains("deep.yaml", Refused("example.com/card=a"), StringComparison.Ordinal);
    }

    private void Json(string file, string environment) => File.WriteAllText(_place[file], $$$"""
        {"cdiVersion":"0.5.0","kind":"example.com/card","devices":[{"name":"0","containerEdits":{"env":["{{{environment}}}"]}}]}
        """);

    private string Refused(string name)
    {
        var refused = Assert.Throws<FaultException>(() => _registry.Resolve([name]));
        Assert.Equal((FaultKind.InvalidArgument, "cdi.unresolvable"), (refused.Fault.Kind, refused.Fault.Code));
        return refused.Message;
    }
}
