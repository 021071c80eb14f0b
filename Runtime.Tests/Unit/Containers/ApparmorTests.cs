using Runtime.Actors.Containers;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Containers;

/// <summary>What is found of AppArmor and SELinux in a machine's files, and what is told to the program that loads profiles.</summary>
public sealed class ApparmorTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("Y\n", "/sbin/apparmor_parser", true)]
    [InlineData("N\n", "/sbin/apparmor_parser", false)]
    [InlineData("Y\n", null, false)]
    [InlineData(null, "/sbin/apparmor_parser", false)]
    public void The_kernel_has_it_where_it_says_so_and_a_parser_is_installed(string? enabled, string? parser, bool has)
    {
        if (enabled is not null) Write("module/apparmor/parameters/enabled", enabled);

        Assert.Equal(has, HostProbe.HasApparmor(_directory.Path, parser));
    }

    [Fact]
    public void Selinux_is_there_where_its_file_system_is()
    {
        Assert.False(HostProbe.HasSelinux(_directory.Path));
        Write("fs/selinux/enforce", "0");
        Assert.True(HostProbe.HasSelinux(_directory.Path));
    }

    [Fact]
    public void Profiles_are_read_from_the_kernels_list_anew()
    {
        var host = new HostFacts { Apparmor = true };
        Write("profiles", "docker-default (enforce)\nwith a space (complain)\n\n");
        Assert.Equal(["docker-default", "with a space"], HostProbe.WithApparmorProfiles(host, _directory["profiles"]).ApparmorProfiles.Order());

        Write("profiles", "later (enforce)\n");
        Assert.Equal(["later"], HostProbe.WithApparmorProfiles(host, _directory["profiles"]).ApparmorProfiles);
        Assert.Empty(HostProbe.WithApparmorProfiles(host, _directory["missing"]).ApparmorProfiles);
        Assert.Empty(HostProbe.WithApparmorProfiles(host with { Apparmor = false }, _directory["profiles"]).ApparmorProfiles);
    }

    [Fact]
    public async Task The_default_profile_is_handed_to_the_parser_to_replace_one_of_that_name()
    {
        var parser = Script($"echo \"$@\" > {_directory["arguments"]}; cat > {_directory["profile"]}");

        await ApparmorDefault.LoadAsync(parser, Cancellation);

        Assert.Equal("-Kr\n", await File.ReadAllTextAsync(_directory["arguments"], Cancellation));
        var profile = await File.ReadAllTextAsync(_directory["profile"], Cancellation);
        Assert.Contains($"profile {ApparmorDefault.Name} flags=(attach_disconnected,mediate_deleted)", profile, StringComparison.Ordinal);
        Assert.Contains("deny mount,", profile, StringComparison.Ordinal);
        Assert.Equal(profile.Count(c => c == '{'), profile.Count(c => c == '}'));
    }

    [Theory]
    [InlineData("cat > /dev/null; echo 'syntax error, line 3' >&2; exit 1", "syntax error, line 3")]
    [InlineData(null, "No such file")]
    public async Task A_parser_that_fails_is_named_with_what_it_said(string? script, string said)
    {
        var parser = script is null ? _directory["missing"] : Script(script);

        var failed = await Assert.ThrowsAsync<FaultException>(() => ApparmorDefault.LoadAsync(parser, Cancellation));

        Assert.Equal("apparmor.not-loaded", failed.Fault.Code);
        Assert.Contains(said, failed.Message, StringComparison.Ordinal);
    }

    private string Script(string body)
    {
        Write("parser", $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(_directory["parser"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return _directory["parser"];
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory[name])!);
        File.WriteAllText(_directory[name], text);
    }
}
