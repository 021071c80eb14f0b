using Akka.Event;
using Runtime.Actors.Chaos;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Entities;

public sealed class ChaosEngineTests
{
    private const string Entity = "container/k8s.io/a";
    private readonly ChaosEngine _chaos = new(NoLogger.Instance, TimeProvider.System);

    private static ChaosRule Rule(
        ChaosPlace place = ChaosPlace.Ran, string step = "*", ChaosAction action = ChaosAction.Error, double probability = 1,
        int count = 0, int seed = 0, double delaySeconds = 0, string entity = "*") =>
        new(place, step, entity, action, TimeSpan.FromSeconds(delaySeconds), probability, count, seed);

    [Fact]
    public void A_rule_strikes_at_its_place_its_steps_and_its_entities_only()
    {
        _chaos.Start(Rule(ChaosPlace.Stored, "container.*", entity: "container/*"));

        Assert.Equal(ChaosAction.Error, _chaos.At(ChaosPlace.Stored, "container.started.v1", Entity)?.Action);
        Assert.Null(_chaos.At(ChaosPlace.Storing, "container.started.v1", Entity));
        Assert.Null(_chaos.At(ChaosPlace.Stored, "sandbox.started.v1", Entity));
        Assert.Null(_chaos.At(ChaosPlace.Stored, "container.started.v1", "record/k8s.io/a"));
    }

    [Fact]
    public void A_rule_is_used_up_after_its_count_and_says_who_recovered()
    {
        var id = _chaos.Start(Rule(count: 2));

        var strikes = Enumerable.Range(0, 5).Count(_ => _chaos.At(ChaosPlace.Ran, "RunTask", Entity) is not null);

        Assert.Equal(2, strikes);
        var report = _chaos.Stop(id);
        Assert.Equal((2, 2, 1, Entity), (report.Fitted, report.Struck, report.Recovered, report.LastEntity));
        Assert.False(_chaos.IsOn);
        Assert.Equal("chaos.no-such-rule", Assert.Throws<FaultException>(() => _chaos.Stop(id)).Fault.Code);
    }

    [Fact]
    public void The_same_seed_strikes_the_same_times()
    {
        string Strikes(int seed)
        {
            var id = _chaos.Start(Rule(probability: 0.5, seed: seed));
            var strikes = string.Concat(Enumerable.Range(0, 64).Select(_ => _chaos.At(ChaosPlace.Ran, "RunTask", Entity) is null ? '.' : 'x'));
            _chaos.Stop(id);
            return strikes;
        }

        Assert.Equal(Strikes(1), Strikes(1));
        Assert.NotEqual(Strikes(1), Strikes(2));
        Assert.Contains('x', Strikes(1));
        Assert.Contains('.', Strikes(1));
    }

    public static TheoryData<ChaosRule> Refused =>
    [
        Rule(action: ChaosAction.CrashActor, place: ChaosPlace.Stored),
        Rule(action: ChaosAction.Delay),
        Rule(action: ChaosAction.Delay, delaySeconds: 601),
        Rule(action: ChaosAction.Error, delaySeconds: 1),
        Rule(probability: 0),
        Rule(probability: double.NaN),
        Rule(probability: 1.1),
        Rule(count: -1),
        Rule(step: ""),
    ];

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_rule_that_makes_no_sense_is_refused(ChaosRule rule)
    {
        var refused = Assert.Throws<FaultException>(() => _chaos.Start(rule));
        Assert.Equal((FaultKind.InvalidArgument, "chaos.invalid-rule"), (refused.Fault.Kind, refused.Fault.Code));
        Assert.False(_chaos.IsOn);
    }
}
