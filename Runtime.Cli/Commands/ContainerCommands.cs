using System.CommandLine;
using Runtime.Cri.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr ps|start|stop|rm|inspect</c>.</summary>
internal static class ContainerCommands
{
    public static Command List()
    {
        var all = new Option<bool>("--all") { Description = "Also those that do not run." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Ids only." };
        var pod = new Option<string?>("--pod") { Description = "Only containers of this pod." };
        var command = new Command("ps", "Lists containers.") { all, quiet, pod };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var filter = new ContainerFilter { PodSandboxId = parsed.GetValue(pod) ?? "" };
            if (!parsed.GetValue(all)) filter.State = new ContainerStateValue { State = ContainerState.ContainerRunning };
            var reply = await daemon.Pods.ListContainersAsync(new ListContainersRequest { Filter = filter }, daemon.Call(cancellation));
            var containers = reply.Containers.OrderByDescending(container => container.CreatedAt).ToArray();
            if (parsed.WantsJson()) Output.Json(reply);
            else if (parsed.GetValue(quiet)) foreach (var container in containers) Console.WriteLine(container.Id);
            else
            {
                Output.Table(
                    ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID"],
                    containers.Select(container => new[]
                    {
                        Output.ShortId(container.Id), Shown(container.Image), Output.Age(container.CreatedAt), StateOf(container.State),
                        container.Metadata.Name, $"{container.Metadata.Attempt}", Output.ShortId(container.PodSandboxId),
                    }));
            }
            return 0;
        });
        return command;
    }

    public static Command Start() => ForEach("start", "Starts created containers.",
        async (daemon, id, cancellation) => await daemon.Pods.StartContainerAsync(
            new StartContainerRequest { ContainerId = id }, daemon.Call(cancellation)));

    public static Command Stop()
    {
        var grace = new Option<long>("--grace") { Description = "Seconds between the stop signal and SIGKILL.", DefaultValueFactory = _ => 10 };
        var ids = new Argument<string[]>("CONTAINER") { Arity = ArgumentArity.OneOrMore };
        var command = new Command("stop", "Stops containers.") { ids, grace };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            foreach (var id in parsed.GetRequiredValue(ids))
            {
                var request = new StopContainerRequest { ContainerId = id, Timeout = parsed.GetValue(grace) };
                await daemon.Pods.StopContainerAsync(request, daemon.Call(cancellation));
                Console.WriteLine(id);
            }
            return 0;
        });
        return command;
    }

    public static Command Remove() => ForEach("rm", "Removes containers; those that run are killed.",
        async (daemon, id, cancellation) => await daemon.Pods.RemoveContainerAsync(
            new RemoveContainerRequest { ContainerId = id }, daemon.Call(cancellation)));

    public static Command Inspect()
    {
        var id = new Argument<string>("CONTAINER");
        var command = new Command("inspect", "Shows everything about a container.") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var request = new ContainerStatusRequest { ContainerId = parsed.GetRequiredValue(id), Verbose = true };
            Output.Json(await daemon.Pods.ContainerStatusAsync(request, daemon.Call(cancellation)));
            return 0;
        });
        return command;
    }

    private static Command ForEach(string name, string description, Func<Daemon, string, CancellationToken, Task> run)
    {
        var ids = new Argument<string[]>("CONTAINER") { Arity = ArgumentArity.OneOrMore };
        var command = new Command(name, description) { ids };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            foreach (var id in parsed.GetRequiredValue(ids))
            {
                await run(daemon, id, cancellation);
                Console.WriteLine(id);
            }
            return 0;
        });
        return command;
    }

    private static string Shown(ImageSpec image) =>
        image.UserSpecifiedImage.Length > 0 ? image.UserSpecifiedImage : Output.ShortId(image.Image);

    private static string StateOf(ContainerState state) => state switch
    {
        ContainerState.ContainerCreated => "Created",
        ContainerState.ContainerRunning => "Running",
        ContainerState.ContainerExited => "Exited",
        _ => "Unknown",
    };
}
