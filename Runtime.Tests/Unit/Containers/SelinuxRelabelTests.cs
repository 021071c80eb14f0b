using System.Text;
using Runtime.Actors.Containers;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Containers;

/// <summary>On a kernel without SELinux the labels are attributes like any other: root may write them.</summary>
public sealed class SelinuxRelabelTests : IDisposable
{
    private const string Attribute = "security.selinux";
    private const string Old = "system_u:object_r:var_t:s0";
    private const string New = "system_u:object_r:container_file_t:s0:c1,c2";

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Everything_in_a_volume_is_labelled_and_nothing_that_a_link_leads_to()
    {
        Directory.CreateDirectory(_directory["volume/sub"]);
        Directory.CreateDirectory(_directory["outside"]);
        File.WriteAllText(_directory["volume/sub/file"], "");
        File.WriteAllText(_directory["outside/file"], "");
        File.CreateSymbolicLink(_directory["volume/link"], _directory["outside/file"]);
        Directory.CreateSymbolicLink(_directory["volume/sub/away"], _directory["outside"]);
        string[] inside = ["volume", "volume/sub", "volume/sub/file", "volume/link", "volume/sub/away"];
        string[] outside = ["outside", "outside/file"];
        foreach (var path in inside.Concat(outside)) Label(path);

        SelinuxRelabel.Apply(_directory["volume"], New);

        Assert.All(inside, path => Assert.Equal(New, LabelOf(path)));
        Assert.All(outside, path => Assert.Equal(Old, LabelOf(path)));
    }

    [Fact]
    public void A_single_file_can_be_a_volume()
    {
        File.WriteAllText(_directory["file"], "");
        Label("file");

        SelinuxRelabel.Apply(_directory["file"], New);

        Assert.Equal(New, LabelOf("file"));
    }

    [Fact]
    public void A_file_system_without_labels_is_left_alone()
    {
        File.WriteAllText(_directory["file"], "");

        SelinuxRelabel.Apply(_directory.Path, New);

        Assert.Null(LabelOf("file"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/etc")]
    [InlineData("/etc/")]
    [InlineData("/usr/../etc")]
    [InlineData("/proc")]
    [InlineData("/var")]
    public void A_directory_of_the_system_is_refused(string path)
    {
        var refused = Assert.Throws<FaultException>(() => SelinuxRelabel.Apply(path, New));

        Assert.Equal((FaultKind.InvalidArgument, "container.invalid-relabel"), (refused.Fault.Kind, refused.Fault.Code));
    }

    private void Label(string path) => Xattrs.Set(_directory[path], Attribute, Encoding.UTF8.GetBytes(Old + '\0'));

    private string? LabelOf(string path) =>
        Xattrs.Get(_directory[path], Attribute) is { } value ? Encoding.UTF8.GetString(value).TrimEnd('\0') : null;
}
