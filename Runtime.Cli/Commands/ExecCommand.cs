using System.CommandLine;
using Runtime.Cli.Streaming;
using Runtime.Cri.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr exec CONTAINER COMMAND...</c>: runs it to its end, prints its output, ends with its exit code.</summary>
internal static class ExecCommand
{
    private static readonly Argument<string> Id = new("CONTAINER");
    private static readonly Argument<string[]> Words = new("COMMAND") { Arity = ArgumentArity.OneOrMore };
    private static readonly Option<int> Limit = new("--limit") { Description = "Seconds after which the command is killed; 0 for none. Not with -i or -t." };
    private static readonly Option<bool> Interactive = new("--interactive", "-i") { Description = "Pass standard input on." };
    private static readonly Option<bool> Tty = new("--tty", "-t") { Description = "Give it a terminal." };

    public static Command Create()
    {
        var command = new Command("exec", "Runs a command in a running container.") { Id, Words, Limit, Interactive, Tty };
        command.SetAction((parsed, cancellation) => parsed.GetValue(Interactive) || parsed.GetValue(Tty)
            ? StreamAsync(parsed, cancellation)
            : RunAsync(parsed, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using var daemon = Daemon.Of(parsed);
        var request = new ExecSyncRequest { ContainerId = parsed.GetRequiredValue(Id), Timeout = parsed.GetValue(Limit) };
        request.Cmd.AddRange(parsed.GetRequiredValue(Words));
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
    }

    private static async Task<int> StreamAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using var daemon = Daemon.Of(parsed);
        var (interactive, tty) = (parsed.GetValue(Interactive), parsed.GetValue(Tty));
        var request = new ExecRequest
        {
            ContainerId = parsed.GetRequiredValue(Id),
            Stdin = interactive,
            Stdout = true,
            Stderr = !tty,
            Tty = tty,
        };
        request.Cmd.AddRange(parsed.GetRequiredValue(Words));
        var url = (await daemon.Pods.ExecAsync(request, daemon.Call(cancellation))).Url;
        using var terminal = tty ? RawTerminal.Enter() : null;
        using var streams = new RemoteStreams(url);
        return await streams.RunAsync(interactive, terminal, cancellation);
    }
}
