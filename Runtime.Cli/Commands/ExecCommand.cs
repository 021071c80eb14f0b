using System.CommandLine;
using Runtime.Cri.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr exec CONTAINER COMMAND...</c>: runs it to its end, prints its output, ends with its exit code.</summary>
internal static class ExecCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("CONTAINER");
        var words = new Argument<string[]>("COMMAND") { Arity = ArgumentArity.OneOrMore };
        var limit = new Option<int>("--limit") { Description = "Seconds after which the command is killed; 0 for none." };
        var command = new Command("exec", "Runs a command in a running container.") { id, words, limit };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var request = new ExecSyncRequest { ContainerId = parsed.GetRequiredValue(id), Timeout = parsed.GetValue(limit) };
            request.Cmd.AddRange(parsed.GetRequiredValue(words));
            var reply = await daemon.Pods.ExecSyncAsync(request, daemon.Call(cancellation));
            if (parsed.WantsJson()) Output.Json(reply);
            else
            {
                using var output = Console.OpenStandardOutput();
                reply.Stdout.WriteTo(output);
                using var errors = Console.OpenStandardError();
                reply.Stderr.WriteTo(errors);
            }
            return reply.ExitCode;
        });
        return command;
    }
}
