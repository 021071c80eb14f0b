using System.Diagnostics;
using Runtime.Actors.Containers;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.Containers;

[Collection(KernelCollection.Name)]
public sealed class ContainerCheckpointTests
{
    [Fact]
    public async Task A_checkpoint_is_refused_with_the_reason_that_criu_gives()
    {
        await using var world = await ContainerWorld.StartAsync();
        var id = await world.RunAsync(world.Shell("sleep 1000"));

        var fault = await world.RefusedAsync(world.Checkpoint(id, "/tmp/checkpoint.tar"));

        // With one that works it is the root file system, which is no overlay here.
        Assert.Equal(FaultKind.FailedPrecondition, fault.Kind);
        Assert.Contains(CriuWorks() ? "overlayfs" : "CRIU", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists("/tmp/checkpoint.tar"));
        Assert.Equal(ContainerPhase.Running, world.View(id).Phase);
    }

    private static bool CriuWorks()
    {
        using var check = Process.Start("/bin/sh", ["-c", "criu check >/dev/null 2>&1"]);
        check.WaitForExit();
        return check.ExitCode == 0;
    }
}
