using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

/// <summary>Host directories in containers, on the kernel.</summary>
[Collection(KernelCollection.Name)]
public sealed class ContainerMountTests
{
    [Theory]
    [InlineData(MountPropagation.Private, false, false)]
    [InlineData(MountPropagation.HostToContainer, true, false)]
    [InlineData(MountPropagation.Bidirectional, true, true)]
    public async Task Mounts_pass_between_host_and_container_as_asked(MountPropagation propagation, bool toContainer, bool toHost)
    {
        await using var world = await ContainerWorld.StartAsync(privileged: true);
        using var host = new TempDirectory();
        foreach (var name in new[] { "hosts", "containers" }) Directory.CreateDirectory(host[name]);
        await Tool.RunAsync("mount", "--bind", host.Path, host.Path);
        try
        {
            await Tool.RunAsync("mount", "--make-rshared", host.Path);
            var config = world.Shell("exec sleep 1000");
            var id = await world.RunAsync(config with
            {
                Mounts = [new ContainerMount { ContainerPath = "/shared", HostPath = host.Path, Propagation = propagation }],
                Security = config.Security with { Privileged = true },
            });

            await Tool.RunAsync("mount", "-t", "tmpfs", "none", host["hosts"]);
            await File.WriteAllTextAsync(host["hosts/file"], "from the host", TestContext.Current.CancellationToken);
            var seen = await world.AskAsync<ExecSyncResult>(world.Exec(id, 20, "cat", "/shared/hosts/file"));
            var mounted = await world.AskAsync<ExecSyncResult>(world.Exec(
                id, 20, "sh", "-c", "mount -t tmpfs none /shared/containers && touch /shared/containers/file"));

            Assert.Equal(toContainer, seen.ExitCode == 0);
            Assert.Equal(0, mounted.ExitCode);
            Assert.Equal(toHost, File.Exists(host["containers/file"]));
        }
        finally
        {
            Mounter.UnmountTree(host.Path, lazy: true);
        }
    }

    [Theory]
    [InlineData(false, "written")]
    [InlineData(true, "Read-only file system")]
    public async Task A_read_only_mount_reaches_the_mounts_below_it_only_where_that_is_asked(bool recursive, string expected)
    {
        await using var world = await ContainerWorld.StartAsync();
        using var host = new TempDirectory();
        Directory.CreateDirectory(host["below"]);
        await Tool.RunAsync("mount", "-t", "tmpfs", "none", host["below"]);
        try
        {
            var exited = await world.ExitAsync(await world.RunAsync(world.Shell("touch /ro/x; touch /ro/below/x && echo written") with
            {
                Mounts = [new ContainerMount { ContainerPath = "/ro", HostPath = host.Path, Readonly = true, RecursiveReadonly = recursive }],
            }));
            var log = await File.ReadAllTextAsync(exited.LogPath, TestContext.Current.CancellationToken);
            Assert.Contains("/ro/x: Read-only file system", log, StringComparison.Ordinal);
            Assert.Contains(expected, log.Replace("/ro/x: Read-only file system", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }
        finally
        {
            Mounter.UnmountTree(host["below"], lazy: true);
        }
    }

    [Fact]
    public async Task A_link_on_the_host_is_followed_when_the_container_is_made_and_the_status_shows_what_was_asked()
    {
        await using var world = await ContainerWorld.StartAsync();
        using var host = new TempDirectory();
        Directory.CreateDirectory(host["real"]);
        await File.WriteAllTextAsync(host["real/file"], "behind the link", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(host["link"], host["real"]);

        var exited = await world.ExitAsync(await world.RunAsync(world.Shell("cat /data/file") with
        {
            Mounts = [new ContainerMount { ContainerPath = "data", HostPath = host["link"] }],
        }));

        Assert.Contains("behind the link", await File.ReadAllTextAsync(exited.LogPath, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(("data", host["link"]), (exited.Config.Mounts[0].ContainerPath, exited.Config.Mounts[0].HostPath));
    }

    [Fact]
    public async Task Groups_of_the_image_are_added_only_where_they_are_merged()
    {
        await using var world = await ContainerWorld.StartAsync();
        var config = world.Shell("id -G");
        foreach (var (policy, groups) in new[] { (SupplementalGroupsPolicy.Merge, "1001 29 1234"), (SupplementalGroupsPolicy.Strict, "1001 1234") })
        {
            var exited = await world.ExitAsync(await world.RunAsync(config with
            {
                Name = policy.ToString(),
                LogPath = $"{policy}.log",
                Security = config.Security with { RunAsUser = 1000, SupplementalGroups = [1234], GroupsPolicy = policy },
            }));
            Assert.EndsWith($" stdout F {groups}\n", await File.ReadAllTextAsync(exited.LogPath, TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.Equal(groups.Split(' ').Select(long.Parse), exited.User!.Groups);
        }
    }
}
