using Runtime.Faults;
using Runtime.Linux.Processes;
using Runtime.Shim.Streams;

namespace Runtime.Shim.Tasks;

internal sealed partial class TaskService
{
    /// <summary>How long a logger may write on when all output has ended, as in containerd.</summary>
    private const int LoggerFarewellMs = 12_000;

    /// <summary>Goes on with <paramref name="next"/> when the program that takes the output is ready, at once where there is none.</summary>
    private void WithLogger(Container container, ContainerProcess process, Action<RuntimeFault?> next)
    {
        if (!LoggerProcess.IsFor(process.Targets))
        {
            next(null);
            return;
        }
        reaper.Expect();
        Worker.Run(loop, () => process.Logger = LoggerProcess.Start(process.Targets, container.Id, space), fault =>
        {
            if (process.Logger is { } logger)
                reaper.Ask(logger.Pid, _ => logger.HasEnded = true);
            reaper.ExpectNoMore();
            next(fault);
        });
    }

    /// <summary>The process is forgotten: its logger ends by itself, or is killed after a while.</summary>
    private void EndLogger(ContainerProcess process)
    {
        if (process.Logger is not { } logger)
            return;
        loop.After(LoggerFarewellMs, () =>
        {
            if (!logger.HasEnded)
                ProcessControl.TrySignal(logger.Pid, Signals.SIGKILL);
        });
    }
}
