using System.CommandLine;
using System.Globalization;
using Actord.V1;
using Grpc.Core;

namespace Runtime.Cli.Commands;

/// <summary><c>actr history ID</c>: everything that happened to an entity, also after it is gone.</summary>
internal static class HistoryCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID") { Description = "Pod, container, image name ...; a unique start of it will do." };
        var payload = new Option<bool>("--payload") { Description = "Also what each event says." };
        var command = new Command("history", "Shows what happened, step by step.") { id, payload };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            using var call = daemon.Journal.History(new HistoryRequest { Id = parsed.GetRequiredValue(id) }, daemon.Call(cancellation));
            var events = new List<HistoryResponse>();
            await foreach (var happened in call.ResponseStream.ReadAllAsync(cancellation)) events.Add(happened);
            if (parsed.WantsJson()) foreach (var happened in events) Output.Json(happened);
            else Show(events, parsed.GetValue(payload));
            return 0;
        });
        return command;
    }

    private static void Show(List<HistoryResponse> events, bool payload)
    {
        var before = events.Count > 0 ? events[0].At.ToDateTime() : default;
        var rows = new List<string[]>();
        foreach (var happened in events)
        {
            var at = happened.At.ToDateTime();
            rows.Add(
            [
                at.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"+{(at - before).TotalMilliseconds:0} ms"),
                happened.Entity.Split('/')[0],
                happened.Manifest,
                payload ? happened.Payload : "",
            ]);
            before = at;
        }
        Output.Table(["TIME (UTC)", "AFTER", "KIND", "EVENT", payload ? "PAYLOAD" : ""], rows);
    }
}
