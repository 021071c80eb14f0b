using System.CommandLine;
using Runtime.Cri.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr version</c> and <c>actr info</c>.</summary>
internal static class StatusCommands
{
    public static Command Version()
    {
        var command = new Command("version", "Versions of this program and of the daemon.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var reply = await daemon.Pods.VersionAsync(new VersionRequest(), daemon.Call(cancellation));
            if (parsed.WantsJson()) Output.Json(reply);
            else
            {
                Console.WriteLine($"actr     {typeof(StatusCommands).Assembly.GetName().Version?.ToString(3)}");
                Console.WriteLine($"{reply.RuntimeName,-8} {reply.RuntimeVersion} (CRI {reply.RuntimeApiVersion})");
            }
            return 0;
        });
        return command;
    }

    public static Command Info()
    {
        var command = new Command("info", "Conditions, runtimes and configuration of the daemon.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var reply = await daemon.Pods.StatusAsync(new StatusRequest { Verbose = parsed.WantsJson() }, daemon.Call(cancellation));
            if (parsed.WantsJson()) Output.Json(reply);
            else
            {
                Output.Table(
                    ["CONDITION", "STATUS", "REASON", "MESSAGE"],
                    reply.Status.Conditions.Select(condition => new[]
                        { condition.Type, condition.Status ? "true" : "false", condition.Reason, condition.Message }));
                Console.WriteLine();
                Output.Table(["RUNTIME"], reply.RuntimeHandlers.Select(handler => new[] { handler.Name.Length == 0 ? "(default)" : handler.Name }));
            }
            return 0;
        });
        return command;
    }
}
