using System.CommandLine;
using Runtime.Cli.Streaming;
using Runtime.Cri.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr attach CONTAINER</c>: its output from here on, and its input with -i; ends with its exit code.</summary>
internal static class AttachCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("CONTAINER");
        var interactive = new Option<bool>("--interactive", "-i") { Description = "Pass standard input on." };
        var tty = new Option<bool>("--tty", "-t") { Description = "The container has a terminal." };
        var command = new Command("attach", "Joins the streams of a running container.") { id, interactive, tty };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var containerId = parsed.GetRequiredValue(id);
            await RunAsync(daemon, containerId, parsed.GetValue(interactive), parsed.GetValue(tty), withOutput: true, cancellation);
            return await CodeAsync(daemon, containerId, cancellation);
        });
        return command;
    }

    // The streams end a moment before the container's end is stored; where it goes on, only the attach has ended.
    private static async Task<int> CodeAsync(Daemon daemon, string containerId, CancellationToken cancellation)
    {
        for (var tries = 0; tries < 20; tries++)
        {
            var status = await LogFollower.StatusAsync(daemon, containerId, cancellation);
            if (status.State == ContainerState.ContainerExited) return status.ExitCode;
            await Task.Delay(50, cancellation);
        }
        return 0;
    }

    /// <summary>Until the container's output, or this program's connection, ends.</summary>
    public static async Task RunAsync(
        Daemon daemon, string containerId, bool interactive, bool tty, bool withOutput, CancellationToken cancellation)
    {
        var request = new AttachRequest
        {
            ContainerId = containerId,
            Stdin = interactive,
            Stdout = withOutput,
            Stderr = withOutput && !tty,
            Tty = tty,
        };
        var url = (await daemon.Pods.AttachAsync(request, daemon.Call(cancellation))).Url;
        using var terminal = tty ? RawTerminal.Enter() : null;
        using var streams = new RemoteStreams(url);
        await streams.RunAsync(interactive, terminal, cancellation);
    }
}
