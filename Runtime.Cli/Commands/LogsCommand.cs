using System.CommandLine;

namespace Runtime.Cli.Commands;

/// <summary><c>actr logs [-f] CONTAINER</c>.</summary>
internal static class LogsCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("CONTAINER");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the container has exited." };
        var tail = new Option<int?>("--tail") { Description = "Only the last lines." };
        var timestamps = new Option<bool>("--timestamps", "-t");
        var command = new Command("logs", "Prints a container's log.") { id, follow, tail, timestamps };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var status = await LogFollower.StatusAsync(daemon, parsed.GetRequiredValue(id), cancellation);
            if (status.LogPath.Length == 0) throw new CommandException("this container keeps no log");
            var goOn = parsed.GetValue(follow) ? LogFollower.StillRuns(daemon, status.Id, cancellation) : null;
            await new LogFollower(status.LogPath).PrintAsync(parsed.GetValue(tail), parsed.GetValue(timestamps), goOn, cancellation);
            return 0;
        });
        return command;
    }
}
