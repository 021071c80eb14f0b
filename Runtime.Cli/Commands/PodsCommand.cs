using System.CommandLine;
using Runtime.Cri.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr pods run|ls|inspect|stop|rm</c>.</summary>
internal static class PodsCommand
{
    public static Command Create() => new("pods", "Pod sandboxes.") { Run(), List(), Inspect(), Stop(), Remove() };

    private static Command Run()
    {
        var options = new PodOptions();
        var command = new Command("run", "Starts a pod and prints its id.");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            Console.WriteLine(await RunAsync(daemon, options.Read(parsed), parsed.GetValue(options.Handler) ?? "", cancellation));
            return 0;
        });
        return command;
    }

    public static async Task<string> RunAsync(Daemon daemon, PodSandboxConfig config, string handler, CancellationToken cancellation)
    {
        var request = new RunPodSandboxRequest { Config = config, RuntimeHandler = handler };
        return (await daemon.Pods.RunPodSandboxAsync(request, daemon.Call(cancellation))).PodSandboxId;
    }

    private static Command List()
    {
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Ids only." };
        var command = new Command("ls", "Lists pods.") { quiet };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var reply = await daemon.Pods.ListPodSandboxAsync(new ListPodSandboxRequest(), daemon.Call(cancellation));
            var pods = reply.Items.OrderByDescending(pod => pod.CreatedAt).ToArray();
            if (parsed.WantsJson()) Output.Json(reply);
            else if (parsed.GetValue(quiet)) foreach (var pod in pods) Console.WriteLine(pod.Id);
            else
            {
                Output.Table(
                    ["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"],
                    pods.Select(pod => new[]
                    {
                        Output.ShortId(pod.Id), Output.Age(pod.CreatedAt), StateOf(pod.State), pod.Metadata.Name,
                        pod.Metadata.Namespace, $"{pod.Metadata.Attempt}",
                        pod.RuntimeHandler.Length == 0 ? "(default)" : pod.RuntimeHandler,
                    }));
            }
            return 0;
        });
        return command;
    }

    private static Command Inspect()
    {
        var id = new Argument<string>("POD");
        var command = new Command("inspect", "Shows everything about a pod.") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var request = new PodSandboxStatusRequest { PodSandboxId = parsed.GetRequiredValue(id), Verbose = true };
            Output.Json(await daemon.Pods.PodSandboxStatusAsync(request, daemon.Call(cancellation)));
            return 0;
        });
        return command;
    }

    private static Command Stop()
    {
        var ids = new Argument<string[]>("POD") { Arity = ArgumentArity.OneOrMore };
        var command = new Command("stop", "Stops pods: their containers, network and namespaces.") { ids };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            foreach (var id in parsed.GetRequiredValue(ids))
            {
                await daemon.Pods.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = id }, daemon.Call(cancellation));
                Console.WriteLine(id);
            }
            return 0;
        });
        return command;
    }

    private static Command Remove()
    {
        var ids = new Argument<string[]>("POD") { Arity = ArgumentArity.OneOrMore };
        var force = new Option<bool>("--force", "-f") { Description = "Also pods that run." };
        var command = new Command("rm", "Removes pods.") { ids, force };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            foreach (var id in parsed.GetRequiredValue(ids))
            {
                if (!parsed.GetValue(force)) await RefuseReadyAsync(daemon, id, cancellation);
                await daemon.Pods.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = id }, daemon.Call(cancellation));
                Console.WriteLine(id);
            }
            return 0;
        });
        return command;
    }

    private static async Task RefuseReadyAsync(Daemon daemon, string id, CancellationToken cancellation)
    {
        var filter = new PodSandboxFilter { Id = id };
        var pods = await daemon.Pods.ListPodSandboxAsync(new ListPodSandboxRequest { Filter = filter }, daemon.Call(cancellation));
        if (pods.Items.Any(pod => pod.State is PodSandboxState.SandboxReady))
            throw new CommandException($"pod {id} runs: stop it first, or use --force");
    }

    private static string StateOf(PodSandboxState state) => state is PodSandboxState.SandboxReady ? "Ready" : "NotReady";
}
