using System.CommandLine;
using Grpc.Core;
using Runtime.Cli;
using Runtime.Cli.Commands;

var root = new RootCommand("Talks to actord: pods, containers, images and their history.")
{
    PodsCommand.Create(),
    RunCommand.Create(),
    ContainerCommands.List(),
    ContainerCommands.Start(),
    ContainerCommands.Stop(),
    ContainerCommands.Remove(),
    ContainerCommands.Inspect(),
    ExecCommand.Create(),
    AttachCommand.Create(),
    LogsCommand.Create(),
    ImagesCommand.Create(),
    HistoryCommand.Create(),
    JournalCommand.Create(),
    ChaosCommand.Create(),
    StatusCommands.Version(),
    StatusCommands.Info(),
};
root.Add(CompletionCommand.Create());
GlobalOptions.AddTo(root);

try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (RpcException refused)
{
    Console.Error.WriteLine($"actr: {refused.Status.Detail} ({refused.StatusCode})");
    return 1;
}
catch (CommandException wrong)
{
    Console.Error.WriteLine($"actr: {wrong.Message}");
    return wrong.ExitCode;
}
catch (IOException wrong)
{
    Console.Error.WriteLine($"actr: {wrong.Message}");
    return 1;
}
catch (OperationCanceledException)
{
    return 130; // as a shell reports SIGINT
}
