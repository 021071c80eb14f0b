using System.CommandLine;
using Actord.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr journal backup FILE</c>.</summary>
internal static class JournalCommand
{
    public static Command Create() => new("journal", "The event journal.") { Backup() };

    private static Command Backup()
    {
        var file = new Argument<string>("FILE") { Description = "On the node; must not be there yet." };
        var command = new Command("backup", "Copies the journal while the daemon runs.") { file };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var path = Path.GetFullPath(parsed.GetRequiredValue(file));
            var reply = await daemon.Journal.BackupAsync(new BackupRequest { Path = path }, daemon.Call(cancellation));
            Console.WriteLine($"{path} {Output.Size((ulong)reply.Size)}");
            return 0;
        });
        return command;
    }
}
