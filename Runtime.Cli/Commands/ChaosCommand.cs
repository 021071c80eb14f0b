using System.CommandLine;
using System.Globalization;
using Actord.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Runtime.Cli.Commands;

/// <summary><c>actr chaos start|stop|report</c>: faults on purpose, where the daemon's configuration allows them.</summary>
internal static class ChaosCommand
{
    private static readonly Dictionary<string, ChaosPlace> Places = new()
    {
        ["storing"] = ChaosPlace.Storing,
        ["stored"] = ChaosPlace.Stored,
        ["running"] = ChaosPlace.Running,
        ["ran"] = ChaosPlace.Ran,
    };

    private static readonly Dictionary<string, ChaosAction> Actions = new()
    {
        ["delay"] = ChaosAction.Delay,
        ["error"] = ChaosAction.Error,
        ["crash-actor"] = ChaosAction.CrashActor,
        ["crash-daemon"] = ChaosAction.CrashDaemon,
    };

    public static Command Create() => new("chaos", "Faults on purpose, by rule.") { Start(), Stop(), Report() };

    private static Command Start()
    {
        var action = new Argument<string>("ACTION") { Description = "What happens." };
        action.AcceptOnlyFromAmong([.. Actions.Keys]);
        var place = new Argument<string>("PLACE") { Description = "Before or after an event is stored, or an effect run." };
        place.AcceptOnlyFromAmong([.. Places.Keys]);
        var step = new Argument<string>("STEP") { Description = "Glob: events such as container.started.v1, effects such as RunTask.", DefaultValueFactory = _ => "*" };
        var entity = new Option<string>("--entity") { Description = "Glob over kind/namespace/id.", DefaultValueFactory = _ => "*" };
        var delay = new Option<double>("--delay") { Description = "Seconds, for delay." };
        var probability = new Option<double>("--probability") { Description = "Of each time that the rule fits.", DefaultValueFactory = _ => 1 };
        var count = new Option<int>("--count") { Description = "Faults until the rule is used up; 0 for no limit." };
        var seed = new Option<int>("--seed") { Description = "The same seed strikes the same times." };
        var command = new Command("start", "Puts a rule into force, until it is stopped or the daemon ends.")
        {
            action, place, step, entity, delay, probability, count, seed,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var seconds = parsed.GetValue(delay);
            var rule = new ChaosRule
            {
                Action = Actions[parsed.GetRequiredValue(action)],
                Place = Places[parsed.GetRequiredValue(place)],
                Step = parsed.GetRequiredValue(step),
                Entity = parsed.GetRequiredValue(entity),
                Delay = seconds == 0 ? null : Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)),
                Probability = parsed.GetValue(probability),
                Count = parsed.GetValue(count),
                Seed = parsed.GetValue(seed),
            };
            var started = await Allowed(daemon.Chaos.StartAsync(new StartChaosRequest { Rule = rule }, daemon.Call(cancellation)));
            Console.WriteLine(started.Id);
            return 0;
        });
        return command;
    }

    private static Command Stop()
    {
        var id = new Argument<string>("RULE") { Description = "As start printed it." };
        var command = new Command("stop", "Ends a rule, and shows what it did.") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var request = new StopChaosRequest { Id = parsed.GetRequiredValue(id) };
            var stopped = await Allowed(daemon.Chaos.StopAsync(request, daemon.Call(cancellation)));
            if (parsed.WantsJson()) Output.Json(stopped);
            else Show([stopped.Report]);
            return 0;
        });
        return command;
    }

    private static Command Report()
    {
        var command = new Command("report", "Shows the rules in force, and what they did.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var report = await Allowed(daemon.Chaos.ReportAsync(new ReportChaosRequest(), daemon.Call(cancellation)));
            if (parsed.WantsJson()) Output.Json(report);
            else Show(report.Reports);
            return 0;
        });
        return command;
    }

    private static async Task<T> Allowed<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            return await call;
        }
        catch (RpcException refused) when (refused.StatusCode is StatusCode.Unimplemented)
        {
            throw new CommandException("this daemon allows no chaos: set enabled = true in the table [chaos] of its configuration");
        }
    }

    private static void Show(IEnumerable<ChaosReport> reports) => Output.Table(
        ["RULE", "ACTION", "PLACE", "STEP", "FITTED", "STRUCK", "RECOVERED", "LAST"],
        reports.Select(report => new[]
        {
            report.Id,
            Actions.Single(named => named.Value == report.Rule.Action).Key,
            Places.Single(named => named.Value == report.Rule.Place).Key,
            report.Rule.Step,
            report.Fitted.ToString(CultureInfo.InvariantCulture),
            report.Struck.ToString(CultureInfo.InvariantCulture),
            report.Recovered.ToString(CultureInfo.InvariantCulture),
            report.LastEntity,
        }));
}
