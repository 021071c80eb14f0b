using Runtime.Faults;
using Runtime.Linux.Mounts;
using Xunit;
using static Runtime.Linux.Mounts.MountFlags;

namespace Runtime.Tests.Unit.Linux;

public sealed class MountOptionsTests
{
    [Fact]
    public void Flags_propagation_and_data_are_told_apart()
    {
        var options = MountOptions.Parse(["rbind", "ro", "nosuid", "rprivate", "size=64k", "rslave", "mode=1777", "rnodev", ""]);
        Assert.Equal(MS_BIND | MS_REC | MS_RDONLY | MS_NOSUID, options.Flags);
        Assert.Equal([MS_PRIVATE | MS_REC, MS_SLAVE | MS_REC], options.Propagation);
        Assert.Equal(MS_NODEV, options.Recursive);
        Assert.Equal("size=64k,mode=1777", options.DataString);
    }

    [Fact]
    public void The_last_of_two_opposites_wins()
    {
        Assert.Equal(None, MountOptions.Parse(["ro", "rw"]).Flags);
        Assert.Equal(MS_RDONLY, MountOptions.Parse(["ro", "rw"]).Cleared);
        Assert.Equal((MS_NODEV, None), (MountOptions.Parse(["dev", "nodev"]).Flags, MountOptions.Parse(["dev", "nodev"]).Cleared));
    }

    [Fact]
    public void Defaults_and_no_options_are_nothing()
    {
        Assert.Equal("", MountOptions.Parse(["defaults"]).DataString);
        Assert.Equal(None, MountOptions.Parse(default).Flags);
    }

    [Fact]
    public void An_option_with_nul_is_refused() =>
        Assert.Equal("mount.bad-option", Assert.Throws<FaultException>(() => MountOptions.Parse(["a\0b"])).Fault.Code);
}
