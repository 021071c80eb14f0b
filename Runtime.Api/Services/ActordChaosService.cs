using Actord.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors.Chaos;
using Runtime.Faults;
using Domain = Runtime.Actors.Chaos;

namespace Runtime.Api.Services;

/// <summary>actord.v1.Chaos: faults on purpose. Offered only where the configuration allows it.</summary>
public sealed class ActordChaosService(ChaosEngine chaos) : Actord.V1.Chaos.ChaosBase
{
    public override Task<StartChaosResponse> Start(StartChaosRequest request, ServerCallContext context) =>
        Task.FromResult(new StartChaosResponse { Id = chaos.Start(ToRule(request.Rule ?? new Actord.V1.ChaosRule())) });

    public override Task<StopChaosResponse> Stop(StopChaosRequest request, ServerCallContext context) =>
        Task.FromResult(new StopChaosResponse { Report = ToWire(chaos.Stop(request.Id)) });

    public override Task<ReportChaosResponse> Report(ReportChaosRequest request, ServerCallContext context) =>
        Task.FromResult(new ReportChaosResponse { Reports = { chaos.Report().Select(ToWire) } });

    private static Domain.ChaosRule ToRule(Actord.V1.ChaosRule rule) => new(
        rule.Place switch
        {
            Actord.V1.ChaosPlace.Storing => Domain.ChaosPlace.Storing,
            Actord.V1.ChaosPlace.Stored => Domain.ChaosPlace.Stored,
            Actord.V1.ChaosPlace.Running => Domain.ChaosPlace.Running,
            Actord.V1.ChaosPlace.Ran => Domain.ChaosPlace.Ran,
            _ => throw Unknown("place"),
        },
        rule.Step.Length == 0 ? "*" : rule.Step,
        rule.Entity.Length == 0 ? "*" : rule.Entity,
        rule.Action switch
        {
            Actord.V1.ChaosAction.Delay => Domain.ChaosAction.Delay,
            Actord.V1.ChaosAction.Error => Domain.ChaosAction.Error,
            Actord.V1.ChaosAction.CrashActor => Domain.ChaosAction.CrashActor,
            Actord.V1.ChaosAction.CrashDaemon => Domain.ChaosAction.CrashDaemon,
            _ => throw Unknown("action"),
        },
        ToDelay(rule.Delay),
        rule.Probability == 0 ? 1 : rule.Probability,
        rule.Count,
        rule.Seed);

    // ToTimeSpan throws for what a duration cannot be.
    private static TimeSpan ToDelay(Duration? delay) => delay switch
    {
        null => TimeSpan.Zero,
        { Seconds: < 0 } or { Nanos: < 0 or > 999_999_999 } => throw Unknown("delay"),
        { Seconds: var seconds } when seconds > Domain.ChaosRule.DelayMax.TotalSeconds => TimeSpan.MaxValue,
        _ => delay.ToTimeSpan(),
    };

    private static Actord.V1.ChaosReport ToWire(Domain.ChaosReport report) => new()
    {
        Id = report.Id,
        Rule = new Actord.V1.ChaosRule
        {
            Place = report.Rule.Place switch
            {
                Domain.ChaosPlace.Storing => Actord.V1.ChaosPlace.Storing,
                Domain.ChaosPlace.Stored => Actord.V1.ChaosPlace.Stored,
                Domain.ChaosPlace.Running => Actord.V1.ChaosPlace.Running,
                _ => Actord.V1.ChaosPlace.Ran,
            },
            Step = report.Rule.Step,
            Entity = report.Rule.Entity,
            Action = report.Rule.Action switch
            {
                Domain.ChaosAction.Delay => Actord.V1.ChaosAction.Delay,
                Domain.ChaosAction.Error => Actord.V1.ChaosAction.Error,
                Domain.ChaosAction.CrashActor => Actord.V1.ChaosAction.CrashActor,
                _ => Actord.V1.ChaosAction.CrashDaemon,
            },
            Delay = report.Rule.Delay == TimeSpan.Zero ? null : Duration.FromTimeSpan(report.Rule.Delay),
            Probability = report.Rule.Probability,
            Count = report.Rule.Count,
            Seed = report.Rule.Seed,
        },
        Fitted = report.Fitted,
        Struck = report.Struck,
        Recovered = report.Recovered,
        LastEntity = report.LastEntity,
        LastAt = report.LastAt is { } at ? Timestamp.FromDateTimeOffset(at) : null,
    };

    private static FaultException Unknown(string what) => new(
        FaultKind.InvalidArgument, "chaos.invalid-rule", $"The rule's {what} is missing or unknown.");
}
