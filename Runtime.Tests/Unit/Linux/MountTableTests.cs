using Runtime.Faults;
using Runtime.Linux.Mounts;
using Xunit;

namespace Runtime.Tests.Unit.Linux;

public sealed class MountTableTests
{
    private const string Text = """
        27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
        40 27 0:30 / /run/a\040b ro,nosuid master:3 propagate_from:2 - tmpfs none ro,size=4k
        41 40 0:31 / /run/a\040b/sub rw unbindable shared:7 master:8 - overlay overlay rw,lowerdir=/x\134y
        42 27 0:4 net:[4026532000] /run/netns/n\303\274 rw - nsfs nsfs rw
        43 40 0:32 / /run/a\040b rw - tmpfs over rw
        """;

    private readonly MountTable _table = MountTable.Parse(Text);

    [Fact]
    public void Lines_are_read_with_escapes_and_any_number_of_tags()
    {
        Assert.Equal(5, _table.Entries.Length);
        var (root, first, sub, pin) = (_table.Entries[0], _table.Entries[1], _table.Entries[2], _table.Entries[3]);
        Assert.Equal((27, 1, "254:0", true, 0), (root.Id, root.ParentId, root.Device, root.IsShared, root.MasterGroup));
        Assert.Equal(("/run/a b", 3, false, true), (first.MountPoint, first.MasterGroup, first.IsShared, first.IsReadOnly));
        Assert.Equal((7, 8, true, "rw,lowerdir=/x\\y"), (sub.SharedGroup, sub.MasterGroup, sub.IsUnbindable, sub.SuperOptions));
        Assert.Equal(("net:[4026532000]", "/run/netns/nü", "nsfs"), (pin.Root, pin.MountPoint, pin.Type));
    }

    [Fact]
    public void The_mount_on_top_is_found()
    {
        Assert.Equal("over", _table.Find("/run/a b/")!.Source);
        Assert.Null(_table.Find("/run/a"));
        Assert.Equal([40, 41, 43], _table.Under("/run/a b").Select(entry => entry.Id));
        Assert.Equal(5, _table.Under("/").Count());
        Assert.Equal(41, _table.Containing("/run/a b/sub/x/y")!.Id);
        Assert.Equal(27, _table.Containing("/etc")!.Id);
    }

    [Theory]
    [InlineData("27 1 254:0 / /")]
    [InlineData("x 1 254:0 / / rw - ext4 a b")]
    [InlineData("27 1 254:0 / / rw - ext4")]
    public void A_line_that_is_none_is_a_fault(string line) =>
        Assert.Equal("mount.malformed-table", Assert.Throws<FaultException>(() => MountTable.Parse(line)).Fault.Code);
}
