using Runtime.Actors.Entities;
using Runtime.Actors.Shims;
using Runtime.Actors.Tasks;
using Runtime.Faults;

namespace Runtime.Actors.ClientTasks;

/// <summary>Runs the effects of a namespace's tasks: the shim's side of them. Each can be repeated.</summary>
internal sealed class ClientTaskSteps(ClientTaskSlice slice)
{
    private const uint UnknownCode = 255;

    private readonly IShims _shims = slice.Shims;

    public async Task<object?> RunAsync(IEffect effect, CancellationToken stopping) => effect switch
    {
        SetUpTask create => await SetUpAsync(create, stopping),
        SetUpExec exec => await SetUpExecAsync(exec, stopping),
        RunProcess run => await (await ShimOfAsync(run.Plan, stopping)).StartAsync(run.Plan.Id, run.ExecId, stopping),
        WatchProcess watch => await WatchAsync(watch.Plan, watch.ExecId, stopping),
        ObserveProcess observe => await (await ShimOfAsync(observe.Plan, stopping)).StateAsync(observe.Plan.Id, observe.ExecId, stopping),
        RunTaskCall call => await CallAsync(call, stopping),
        RemoveExec remove => await RemoveExecAsync(remove, stopping),
        RemoveTask remove => await RemoveAsync(remove.Plan, stopping),
        DestroyTask destroy => await DestroyAsync(destroy.Plan, stopping),
        AwaitTaskRetry => await PauseAsync(slice.Options.RetryPause, stopping),
        _ => throw new FaultException(FaultKind.Internal, "task.unknown-effect", $"A task cannot run {effect.GetType().Name}."),
    };

    private Task<IShim> ShimOfAsync(ClientTaskPlan plan, CancellationToken cancellation) => _shims.ConnectAsync(plan.Space, plan.Id, cancellation);

    /// <summary>1. the bundle, 2. the shim, 3. the process.</summary>
    private async Task<object?> SetUpAsync(SetUpTask create, CancellationToken stopping)
    {
        var (plan, recipe) = (create.Plan, create.Recipe);
        ClientTaskBundle.Write(plan.Bundle, slice.StateDirectory, recipe.SpecJson);
        var start = new ShimStart(plan.Space, plan.Id, plan.Id, recipe.Runtime, new RuncOptions()) { Given = new ShimOptionsGiven(recipe.Options) };
        var shim = await _shims.StartAsync(start, stopping);
        return await shim.CreateAsync(
            new TaskCreate(plan.Id, plan.Bundle, recipe.Rootfs, recipe.Io.Stdin, recipe.Io.Stdout, recipe.Io.Stderr, recipe.Io.Terminal, start.Options)
            {
                Given = start.Given,
                Checkpoint = recipe.Checkpoint,
            },
            stopping);
    }

    private async Task<object?> SetUpExecAsync(SetUpExec exec, CancellationToken stopping)
    {
        var shim = await ShimOfAsync(exec.Plan, stopping);
        await shim.ExecAsync(
            new ExecCreate(exec.Plan.Id, exec.ExecId, exec.SpecJson, exec.Io.Stdin, exec.Io.Stdout, exec.Io.Stderr, exec.Io.Terminal), stopping);
        return null;
    }

    /// <summary>Waits, as long as it takes. A dead shim is an end too; what it left is cleaned up with the first process.</summary>
    private async Task<ProcessEnd> WatchAsync(ClientTaskPlan plan, string execId, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                var shim = await ShimOfAsync(plan, stopping);
                return new ProcessEnd(await shim.WaitAsync(plan.Id, execId, stopping), "", IsShimDead: false);
            }
            catch (FaultException dead) when (dead.Fault.Code == "shim.dead")
            {
                var kept = KeptExit.TryRead(plan.Bundle, execId);
                if (execId.Length == 0) await _shims.CleanUpAsync(plan.Space, plan.Id, stopping);
                return kept is null ? Unknown("The shim died; what was left of the task was killed.", true) : new ProcessEnd(kept, "", true);
            }
            catch (FaultException missing) when (missing.Fault.Kind == FaultKind.NotFound)
            {
                return Unknown("The shim does not know the process any more.", false);
            }
            catch (FaultException silent) when (silent.Fault.Kind is FaultKind.Unavailable or FaultKind.DeadlineExceeded)
            {
                await PauseAsync(slice.Options.RetryPause, stopping);
            }
        }
    }

    private ProcessEnd Unknown(string cause, bool isShimDead) => new(new ProcessExit(0, UnknownCode, slice.Clock.GetUtcNow()), cause, isShimDead);

    private async Task<object?> CallAsync(RunTaskCall effect, CancellationToken stopping)
    {
        var id = effect.Plan.Id;
        try
        {
            var shim = await ShimOfAsync(effect.Plan, stopping);
            switch (effect.Call)
            {
                case KillCall kill: await shim.KillAsync(id, kill.ExecId, kill.Signal, kill.All, stopping); break;
                case ResizeCall resize: await shim.ResizeAsync(id, resize.ExecId, resize.Width, resize.Height, stopping); break;
                case CloseStdinCall close: await shim.CloseStdinAsync(id, close.ExecId, stopping); break;
                case PauseCall: await shim.PauseAsync(id, stopping); break;
                case ResumeCall: await shim.ResumeAsync(id, stopping); break;
                case UpdateCall update: await shim.UpdateAsync(id, update.Resources, update.Annotations, stopping); break;
                case CheckpointCall checkpoint: await shim.CheckpointAsync(id, checkpoint.Directory, checkpoint.Options, stopping); break;
                case PidsCall: return new TaskPids(await shim.ProcessesAsync(id, stopping));
                case StatsCall:
                    var (typeUrl, value) = await shim.StatsAsync(id, stopping);
                    return new TaskStats(new(typeUrl, value));
                default:
                    throw new FaultException(FaultKind.Internal, "task.unknown-call", $"A task cannot run {effect.Call.GetType().Name}.");
            }
            return null;
        }
        catch (FaultException dead) when (dead.Fault.Code == "shim.dead")
        {
            throw new FaultException(FaultKind.NotFound, "task.not-running", $"task {id} does not run any more: not found", dead);
        }
    }

    private async Task<object?> RemoveExecAsync(RemoveExec remove, CancellationToken stopping)
    {
        try
        {
            return await (await ShimOfAsync(remove.Plan, stopping)).DeleteAsync(remove.Plan.Id, remove.ExecId, stopping);
        }
        catch (FaultException gone) when (IsGone(gone))
        {
            return null;
        }
    }

    private async Task<TaskRemoval> RemoveAsync(ClientTaskPlan plan, CancellationToken stopping)
    {
        ProcessExit? exit = null;
        try
        {
            var shim = await ShimOfAsync(plan, stopping);
            exit = await DeleteAsync(shim, plan, stopping);
            _shims.Forget(plan.Space, plan.Id, hasShimEnded: await ShutDownAsync(shim, plan, stopping));
            return new TaskRemoval(exit, IsShimDead: false);
        }
        catch (FaultException dead) when (dead.Fault.Code == "shim.dead")
        {
            await _shims.CleanUpAsync(plan.Space, plan.Id, stopping);
            return new TaskRemoval(exit, IsShimDead: exit is null);
        }
    }

    private static async Task<ProcessExit?> DeleteAsync(IShim shim, ClientTaskPlan plan, CancellationToken stopping)
    {
        try
        {
            return await shim.DeleteAsync(plan.Id, "", stopping);
        }
        catch (FaultException deleted) when (deleted.Fault.Kind == FaultKind.NotFound)
        {
            return null; // before the daemon ended
        }
    }

    /// <summary>The shim goes with its last task; where it serves others it stays, and this is false.</summary>
    private static async Task<bool> ShutDownAsync(IShim shim, ClientTaskPlan plan, CancellationToken stopping)
    {
        try
        {
            await shim.ShutdownAsync(plan.Id, now: false, stopping);
            return true;
        }
        catch (FaultException busy) when (busy.Fault.Kind == FaultKind.FailedPrecondition)
        {
            return false;
        }
        catch (FaultException ended) when (ended.Fault.Kind == FaultKind.Unavailable)
        {
            return true; // faster than it answered
        }
    }

    private async Task<object?> DestroyAsync(ClientTaskPlan plan, CancellationToken stopping)
    {
        await _shims.CleanUpAsync(plan.Space, plan.Id, stopping);
        return null;
    }

    private async Task<object?> PauseAsync(TimeSpan time, CancellationToken stopping)
    {
        await Task.Delay(time, slice.Clock, stopping);
        return null;
    }

    private static bool IsGone(FaultException fault) => fault.Fault.Kind == FaultKind.NotFound || fault.Fault.Code == "shim.dead";
}
