using Runtime.Faults;
using Runtime.Shim.Bundles;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Tasks;

/// <summary>Checkpoint and restore, which the OCI runtime does with CRIU.</summary>
internal sealed partial class TaskService
{
    private const string CriuWork = "criu-work";

    private void Checkpoint(Call call, CheckpointTaskRequest request)
    {
        var container = Find(request.Id);
        var options = request.Options is { TypeName: CheckpointOptionsMessage.TypeName } given
            ? CheckpointOptionsMessage.Read(new WireReader(given.Value.Span))
            : new CheckpointOptionsMessage();
        var directory = request.Path.Length > 0 ? request.Path : options.ImagePath;
        if (!directory.StartsWith('/'))
            throw new FaultException(FaultKind.InvalidArgument, "checkpoint.no-path", "A checkpoint needs the absolute path of a directory.");
        var work = options.WorkPath.Length > 0 ? options.WorkPath : Path.Combine(container.Bundle, CriuWork);
        List<string> arguments = ["checkpoint", "--image-path", directory, "--work-path", work];
        if (!options.Exit)
            arguments.Add("--leave-running");
        if (options.OpenTcp)
            arguments.Add("--tcp-established");
        if (options.ExternalUnixSockets)
            arguments.Add("--ext-unix-sk");
        if (options.Terminal)
            arguments.Add("--shell-job");
        if (options.FileLocks)
            arguments.Add("--file-locks");
        foreach (var space in options.EmptyNamespaces)
            arguments.AddRange(["--empty-ns", space]);
        if (options.CgroupsMode.Length > 0)
            arguments.AddRange(["--manage-cgroups-mode", options.CgroupsMode]);
        arguments.Add(container.Id);
        RunCommand(call, container, [.. arguments],
            () => events.Publish(TaskTopics.Checkpointed, new TaskCheckpointedEvent { ContainerId = container.Id, Checkpoint = directory }),
            () => Directory.CreateDirectory(work));
    }

    /// <summary>The start of a container that was created from a checkpoint: 1. runs <c>restore</c>, 2. takes the terminal, 3. watches it.</summary>
    private void Restore(Call call, Container container)
    {
        var init = container.Init;
        var pidPath = Path.Combine(container.Bundle, BundleFiles.InitPid);
        var work = container.Options.CriuWorkPath.Length > 0 ? container.Options.CriuWorkPath : Path.Combine(container.Bundle, CriuWork);
        Directory.CreateDirectory(work);
        var console = init.Targets.IsTerminal ? OpenConsole() : null;
        List<string> arguments =
        [
            "restore", "--detach", "--bundle", container.Bundle, "--pid-file", pidPath, "--image-path", container.Checkpoint, "--work-path", work,
        ];
        if (console is not null)
            arguments.AddRange(["--console-socket", console.Path]);
        if (container.Options.NoPivotRoot)
            arguments.Add("--no-pivot");
        arguments.Add(container.Id);
        reaper.Expect();
        init.IsStarting = true;
        try
        {
            container.Runtime.Run(reaper, LogFile, arguments, Restored, init.Streams?.ChildStdin, init.Streams?.ChildStdout, init.Streams?.ChildStderr);
        }
        catch (FaultException)
        {
            console?.Dispose();
            reaper.ExpectNoMore();
            init.IsStarting = false;
            throw;
        }

        void Restored(RuntimeFault? fault)
        {
            try
            {
                if (fault is not null)
                    throw fault.ToException();
                StartStreams(init, console?.Take());
                init.Pid = BundleFiles.ReadPid(pidPath);
                if (init.Pid == 0)
                    throw new FaultException(FaultKind.Internal, "oci.no-pid", $"The OCI runtime wrote no pid of container {container.Id}.");
                WatchMemory(container);
                init.Phase = ProcessPhase.Running;
                events.Publish(TaskTopics.Start, new TaskStartEvent { ContainerId = container.Id, Pid = (uint)init.Pid });
                call.Reply(new PidResponse { Pid = (uint)init.Pid });
                reaper.Ask(init.Pid, exit => OnExit(container, init, exit));
            }
            catch (FaultException failed)
            {
                call.Refuse(failed.Fault);
            }
            console?.Dispose();
            reaper.ExpectNoMore();
            EndStart(container, init);
            container.EndTurn();
        }
    }
}
