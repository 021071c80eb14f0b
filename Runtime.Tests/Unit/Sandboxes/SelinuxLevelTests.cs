using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Xunit;
using static Runtime.Tests.Unit.Sandboxes.SandboxSamples;

namespace Runtime.Tests.Unit.Sandboxes;

public sealed class SelinuxLevelTests
{
    [Theory]
    [InlineData("")]
    [InlineData("s0")]
    [InlineData("s0-s15")]
    [InlineData("s0:c1")]
    [InlineData("s0:c1,c1023")]
    [InlineData("s0:c1.c5,c7")]
    public void A_level_of_the_policy_is_accepted(string level) => SelinuxLevel.Check(level);

    [Theory]
    [InlineData("s")]
    [InlineData("high")]
    [InlineData("s0:")]
    [InlineData("s0:c1,")]
    [InlineData("s0:c1024")]
    [InlineData("s0:c1:c2")]
    [InlineData("s0 ")]
    [InlineData("s0\n")]
    public void Another_is_refused(string level)
    {
        var refused = Assert.Throws<FaultException>(() => SelinuxLevel.Check(level));
        Assert.Equal((FaultKind.InvalidArgument, "selinux.invalid-level"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.Equal("selinux.invalid-level", SandboxRules.Check(Id, Config with
        {
            Security = Config.Security with { Selinux = new SelinuxOptions("", "", "", level) },
        }, Options)!.Code);
    }

    [Fact]
    public void Every_pod_gets_a_pair_of_its_own_until_all_are_taken()
    {
        var taken = new List<string>();
        for (var i = 0; i < 45; i++)
        {
            var level = SelinuxLevel.Allocate(Id, 10, taken);
            SelinuxLevel.Check(level);
            Assert.DoesNotContain(level, taken);
            taken.Add(level);
        }
        Assert.Equal("selinux.no-category", Assert.Throws<FaultException>(() => SelinuxLevel.Allocate(Id, 10, taken)).Fault.Code);
    }

    [Fact]
    public void A_try_again_gets_the_same_and_the_last_pair_is_within_the_range()
    {
        Assert.Equal(SelinuxLevel.Allocate(Id, 1024, []), SelinuxLevel.Allocate(Id, 1024, ["s0:c1,c2"]));
        // 523775 = 0x7fdff, the highest of 1024 * 1023 / 2 pairs.
        Assert.Equal("s0:c1022,c1023", SelinuxLevel.Allocate("000000000007fdff" + new string('0', 48), 1024, []));
    }

    [Fact]
    public void The_pods_own_level_comes_first_and_sharing_the_nodes_processes_takes_the_categories_away()
    {
        var run = Run() with { SelinuxLevel = "s0:c1,c2" };
        Assert.Equal("s0:c1,c2", SelinuxLevel.Of(run));
        Assert.Equal("s0", SelinuxLevel.Of(run with { Config = Config with { Security = Config.Security with { Pid = NamespaceMode.Node } } }));
        var asked = Config with { Security = Config.Security with { Selinux = new SelinuxOptions("", "", "", "s0:c9") } };
        Assert.Equal("s0:c9", SelinuxLevel.Of(run with { Config = asked }));
        Assert.Equal("", SelinuxLevel.Of(Run(asked)));
    }
}
