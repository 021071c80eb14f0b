using Runtime.Actors.Containers;
using Runtime.Actors.Network;
using Runtime.Actors.Shims;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

// The way back. Every step is tried whatever became of those before it; the first failure is thrown when all were, and
// the whole is tried again later. What is not there any more, or never was, is done.
internal sealed partial class SandboxSteps
{
    private async Task ReleaseAsync(SandboxPlan plan, bool attached, CancellationToken stopping)
    {
        var failures = new List<FaultException>();
        await TryAsync(() => DetachAsync(plan, attached, stopping), failures);
        await TryAsync(() => StopInShimAsync(plan, stopping), failures);
        await TryAsync(() => ports.Volumes.ReleaseAsync(space, plan.Id, stopping), failures);
        await TryAsync(() => Task.Run(() => ports.Resources.Unpin(plan), stopping), failures);
        if (failures.Count > 0) throw failures[0];
    }

    private async Task TearDownAsync(SandboxPlan plan, bool attached, CancellationToken stopping)
    {
        var failures = new List<FaultException>();
        await TryAsync(() => DetachAsync(plan, attached, stopping), failures);
        await TryAsync(() => EndShimAsync(plan, stopping), failures);
        if (plan.HasPause) await TryAsync(() => ports.Pauses.ReleaseAsync(plan, stopping), failures);
        await TryAsync(() => ports.Volumes.ReleaseAsync(space, plan.Id, stopping), failures);
        await TryAsync(() => Task.Run(() => ports.Resources.Unpin(plan), stopping), failures);
        await TryAsync(() => ports.Resources.DeleteAsync(plan, stopping), failures);
        if (failures.Count > 0) throw failures[0];
    }

    private Task DetachAsync(SandboxPlan plan, bool attached, CancellationToken stopping)
    {
        if (!plan.HasNetwork) return Task.CompletedTask;
        var netns = ports.Resources.HasNetwork(plan) ? plan.NetworkNamespacePath : "";
        return ports.Network.DelAsync(new CniDetach(plan.Id, netns, CniArgs(plan), attached, ConfDirOf(plan)), stopping);
    }

    private async Task StopInShimAsync(SandboxPlan plan, CancellationToken stopping)
    {
        try
        {
            var shim = await LimitedAsync(limited => ports.Shims.ConnectAsync(space, plan.Id, limited), stopping);
            if (plan.HasPause) await EndPauseAsync(shim, plan, stopping);
            await LimitedAsync(limited => shim.StopSandboxAsync(plan.Id, TimeSpan.Zero, limited), stopping);
        }
        catch (FaultException gone) when (gone.Fault.Kind == FaultKind.NotFound)
        {
            // It never got as far as CreateSandbox.
        }
        catch (FaultException dead) when (dead.Fault.Code == "shim.dead")
        {
            await LimitedAsync(limited => ports.Shims.CleanUpAsync(space, plan.Id, limited), stopping);
        }
    }

    /// <summary>Asks the shim to end with all that it holds; one that does not listen is cleaned up after.</summary>
    private async Task EndShimAsync(SandboxPlan plan, CancellationToken stopping)
    {
        try
        {
            var shim = await LimitedAsync(limited => ports.Shims.ConnectAsync(space, plan.Id, limited), stopping);
            if (plan.HasPause) await EndPauseAsync(shim, plan, stopping);
            await LimitedAsync(limited => shim.StopSandboxAsync(plan.Id, TimeSpan.Zero, limited), stopping);
            await LimitedAsync(limited => shim.ShutdownAsync(plan.Id, now: true, limited), stopping);
        }
        catch (FaultException)
        {
            // Dead, deaf, or without a sandbox: what follows ends it in any case.
        }
        await LimitedAsync(limited => ports.Shims.CleanUpAsync(space, plan.Id, limited), stopping);
    }

    private async Task EndPauseAsync(IShim shim, SandboxPlan plan, CancellationToken stopping)
    {
        try
        {
            await LimitedAsync(limited => shim.KillAsync(plan.Id, "", StopSignal.Kill, all: true, limited), stopping);
            await LimitedAsync(limited => shim.WaitAsync(plan.Id, "", limited), stopping);
            await LimitedAsync(limited => shim.DeleteAsync(plan.Id, "", limited), stopping);
        }
        catch (FaultException gone) when (gone.Fault.Kind == FaultKind.NotFound)
        {
            // It never got as far, or was ended before.
        }
    }

    private static async Task TryAsync(Func<Task> step, List<FaultException> failures)
    {
        try
        {
            await step();
        }
        catch (FaultException failed)
        {
            failures.Add(failed);
        }
    }
}
