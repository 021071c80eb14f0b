using Runtime.Linux;
using Runtime.Linux.Users;
using Xunit;

namespace Runtime.Tests.Unit.Linux;

public sealed class CapabilitiesTests
{
    [Fact]
    public void Names_and_numbers_match_the_kernels()
    {
        Assert.Equal((0, 13, 21, 40), (Capabilities.Number("CAP_CHOWN"), Capabilities.Number("net_raw"),
            Capabilities.Number("SYS_ADMIN"), Capabilities.Number("CAP_CHECKPOINT_RESTORE")));
        Assert.Null(Capabilities.Number("CAP_NONSENSE"));
        Assert.Equal("CAP_NET_RAW", Capabilities.Canonical("net_raw"));
        Assert.Equal(["CAP_CHOWN", "CAP_NET_RAW"], Capabilities.FromMask(1 | 1 << 13));
    }

    [Fact]
    public void What_the_process_has_is_within_what_the_kernel_has()
    {
        Assert.InRange(Capabilities.Last, 37, 63);
        Assert.Subset(Capabilities.All.ToHashSet(), Capabilities.BoundingSet().ToHashSet());
        Assert.Subset(Capabilities.BoundingSet().ToHashSet(), Capabilities.EffectiveSet().ToHashSet());
        Assert.NotEmpty(Capabilities.BoundingSet());
    }

    [Theory]
    [InlineData("6.18.44-fc-v595", "6.18.44")]
    [InlineData("5.10", "5.10")]
    [InlineData("6.1.0-18-amd64", "6.1.0")]
    [InlineData("nonsense", "0.0")]
    public void Kernel_releases_have_numbers_at_their_start(string release, string version) =>
        Assert.Equal(Version.Parse(version), KernelFeatures.ParseVersion(release));

    [Fact]
    public void The_score_of_the_oom_killer_is_raised_and_what_was_achieved_is_told()
    {
        var before = OomScore.Get();
        using var child = System.Diagnostics.Process.Start("sleep", "100");
        try
        {
            Assert.Equal(500, OomScore.Set(child.Id, 500));
            Assert.Equal(500, OomScore.Get(child.Id));
            var lowered = OomScore.Set(child.Id, -900);
            Assert.Equal(OomScore.MayLower() ? -900 : 500, lowered);
        }
        finally
        {
            child.Kill();
        }
        Assert.Equal(before, OomScore.Get());
        Assert.Equal("oom.bad-score", Assert.Throws<Runtime.Faults.FaultException>(() => OomScore.Set(1, 1001)).Fault.Code);
    }
}
