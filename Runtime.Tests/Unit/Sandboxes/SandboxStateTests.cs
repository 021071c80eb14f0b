using System.Text.Json;
using Runtime.Actors.Entities;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Xunit;
using static Runtime.Tests.Unit.Sandboxes.SandboxSamples;

namespace Runtime.Tests.Unit.Sandboxes;

public sealed class SandboxStateTests
{
    private static readonly RuntimeFault Fault = new(FaultKind.Internal, "test.fault", "It failed.");

    /// <summary>Every command in every phase: events, effects, reply, name waited under, names answered.</summary>
    public static TheoryData<string, string, string, string, string, string, string> Commands => new()
    {
        { "run", "None", "SandboxRunRequested", "AttachNetwork StartShim", "", "run", "" },
        { "run", "Starting", "", "", "", "run", "" },
        { "run", "Attached", "", "", "", "run", "" },
        { "run", "ShimStarted", "", "", "", "run", "" },
        { "run", "Ready", "", "", "sandbox.exists", "", "" },
        { "run", "Untaken", "SandboxTaken", "", "", "run", "run" },
        { "run", "Lost", "", "", "sandbox.exists", "", "" },
        { "run", "Stopping", "", "", "sandbox.exists", "", "" },
        { "run", "Stopped", "", "", "sandbox.exists", "", "" },
        { "run", "Removing", "", "", "sandbox.being-removed", "", "" },
        { "run", "Failed", "", "", "cni.plugin-failed", "", "" },

        { "stop", "None", "", "", "SandboxStopped", "", "" },
        { "stop", "Starting", "SandboxRunFailed", "TearDown", "", "stop", "" },
        { "stop", "Attached", "SandboxRunFailed", "TearDown", "", "stop", "" },
        { "stop", "ShimStarted", "SandboxRunFailed", "TearDown", "", "stop", "" },
        { "stop", "Ready", "SandboxStopRequested", "StopContainers", "", "stop", "" },
        { "stop", "Untaken", "SandboxStopRequested", "StopContainers", "", "stop", "" },
        { "stop", "Lost", "SandboxStopRequested", "StopContainers", "", "stop", "" },
        { "stop", "Stopping", "", "RetryNow", "", "stop", "" },
        { "stop", "Stopped", "", "", "SandboxStopped", "", "" },
        { "stop", "Removing", "", "RetryNow", "", "stop", "" },
        { "stop", "Failed", "", "RetryNow", "", "stop", "" },
        { "stop", "Removed", "", "", "SandboxStopped", "", "" },

        { "remove", "None", "", "", "SandboxRemoved", "", "" },
        { "remove", "Starting", "SandboxRunFailed", "TearDown", "", "remove", "" },
        { "remove", "Attached", "SandboxRunFailed", "TearDown", "", "remove", "" },
        { "remove", "ShimStarted", "SandboxRunFailed", "TearDown", "", "remove", "" },
        { "remove", "Ready", "SandboxRemoveRequested", "RemoveContainers", "", "remove", "" },
        { "remove", "Untaken", "SandboxRemoveRequested", "RemoveContainers", "", "remove", "" },
        { "remove", "Lost", "SandboxRemoveRequested", "RemoveContainers", "", "remove", "" },
        { "remove", "Stopping", "SandboxRemoveRequested", "RemoveContainers", "", "remove", "" },
        { "remove", "Stopped", "SandboxRemoveRequested", "RemoveContainers", "", "remove", "" },
        { "remove", "Removing", "", "RetryNow", "", "remove", "" },
        { "remove", "Failed", "", "RetryNow", "", "remove", "" },
        { "remove", "Removed", "", "", "SandboxRemoved", "", "" },

        { "update", "None", "", "", "sandbox.not-found", "", "" },
        { "update", "Starting", "SandboxResourcesUpdated", "", "SandboxUpdated", "", "" },
        { "update", "Ready", "SandboxResourcesUpdated", "", "SandboxUpdated", "", "" },
        { "update", "Untaken", "SandboxResourcesUpdated", "", "SandboxUpdated", "", "" },
        { "update", "Lost", "SandboxResourcesUpdated", "", "SandboxUpdated", "", "" },
        { "update", "Stopping", "SandboxResourcesUpdated", "", "SandboxUpdated", "", "" },
        { "update", "Stopped", "SandboxResourcesUpdated", "", "SandboxUpdated", "", "" },
        { "update", "Removing", "", "", "sandbox.being-removed", "", "" },
        { "update", "Removed", "", "", "sandbox.not-found", "", "" },

        { "attached", "Starting", "SandboxNetworkAttached", "", "", "", "" },
        { "attached", "ShimStarted", "SandboxNetworkAttached SandboxRunCompleted", "WatchSandbox", "", "", "run" },
        { "attached", "Failed", "", "", "", "", "" },
        { "attached", "Removing", "", "", "", "", "" },
        { "shim-started", "Starting", "SandboxShimStarted", "", "", "", "" },
        { "shim-started", "Attached", "SandboxShimStarted SandboxRunCompleted", "WatchSandbox", "", "", "run" },
        { "shim-started", "Failed", "", "", "", "", "" },
        { "attach-failed", "Starting", "SandboxRunFailed", "TearDown", "", "", "" },
        { "attach-failed", "ShimStarted", "SandboxRunFailed", "TearDown", "", "", "" },
        { "attach-failed", "Failed", "", "", "", "", "" },
        { "shim-failed", "Starting", "SandboxRunFailed", "TearDown", "", "", "" },
        { "shim-failed", "Attached", "SandboxRunFailed", "TearDown", "", "", "" },
        { "shim-failed", "Failed", "", "", "", "", "" },

        { "died", "Ready", "SandboxLost", "", "", "", "" },
        { "died", "Untaken", "SandboxRunFailed", "TearDown", "", "", "" },
        { "died", "Stopping", "", "", "", "", "" },
        { "died", "Removing", "", "", "", "", "" },
        { "watch-failed", "Ready", "", "RetryLater", "", "", "" },
        { "watch-failed", "Stopping", "", "", "", "", "" },
        { "untaken", "Ready", "SandboxUntaken", "ExpireUntaken", "", "", "" },
        { "untaken", "Stopping", "", "", "", "", "" },
        { "expired", "Untaken", "SandboxRunFailed", "TearDown", "", "", "" },
        { "expired-earlier", "Untaken", "", "", "", "", "" },
        { "expired", "Ready", "", "", "", "", "" },
        { "rebooted", "Starting", "SandboxRunFailed", "TearDown", "", "", "" },
        { "rebooted", "Untaken", "SandboxRunFailed", "TearDown", "", "", "" },
        { "rebooted", "Ready", "SandboxLost SandboxStopRequested", "StopContainers", "", "", "" },

        { "containers-stopped", "Stopping", "", "ReleaseSandbox", "", "", "" },
        { "containers-stopped", "Removing", "", "", "", "", "" },
        { "containers-not-stopped", "Stopping", "", "RetryLater", "", "", "stop remove" },
        { "containers-not-stopped", "Removing", "", "", "", "", "" },
        { "released", "Stopping", "SandboxStopCompleted", "", "", "", "stop" },
        { "released", "Removing", "", "", "", "", "" },
        { "not-released", "Stopping", "", "RetryLater", "", "", "stop remove" },
        { "not-released", "Removing", "", "", "", "", "" },
        { "retry-release", "Stopping", "", "ReleaseSandbox", "", "", "" },
        { "retry-release", "Stopped", "", "", "", "", "" },
        { "retry-release", "Removing", "", "", "", "", "" },

        { "containers-removed", "Removing", "", "TearDown", "", "", "" },
        { "containers-not-removed", "Removing", "", "RetryLater", "", "", "stop remove" },
        { "torn-down", "Removing", "SandboxRemoveCompleted", "", "", "", "stop remove" },
        { "torn-down", "Failed", "SandboxRemoveCompleted", "", "", "", "run stop remove" },
        { "not-torn-down", "Removing", "", "RetryLater", "", "", "stop remove" },
        { "not-torn-down", "Failed", "", "RetryLater", "", "", "run stop remove" },
        { "retry-tear-down", "Removing", "", "TearDown", "", "", "" },
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_is_decided_by_the_phase_it_comes_in(
        string command, string phase, string events, string effects, string reply, string join, string answers)
    {
        var decision = After(Path(phase)).Decide(Message(command), Now);

        Assert.Equal(events, Names(decision.Events));
        Assert.Equal(effects, Names(decision.Effects));
        Assert.Equal(reply, decision.Reply switch
        {
            null => "",
            Rejected refused => refused.Fault.Code,
            { } other => other.GetType().Name,
        });
        Assert.Equal(join, decision.Join ?? "");
        Assert.Equal(answers, string.Join(' ', decision.Answers.Select(answer => answer.Join)));
    }

    /// <summary>What recovery runs after a crash behind each event, and in which phase a list shows it.</summary>
    [Theory]
    [InlineData("Starting", "AttachNetwork StartShim", SandboxPhase.Creating)]
    [InlineData("Attached", "StartShim", SandboxPhase.Creating)]
    [InlineData("ShimStarted", "AttachNetwork", SandboxPhase.Creating)]
    [InlineData("Ready", "WatchSandbox", SandboxPhase.Ready)]
    [InlineData("Untaken", "WatchSandbox ExpireUntaken", SandboxPhase.Creating)]
    [InlineData("Lost", "", SandboxPhase.NotReady)]
    [InlineData("Stopping", "StopContainers", SandboxPhase.NotReady)]
    [InlineData("Stopped", "", SandboxPhase.NotReady)]
    [InlineData("Removing", "RemoveContainers", SandboxPhase.Removing)]
    [InlineData("Failed", "TearDown", SandboxPhase.Removing)]
    public void Recovery_goes_on_from_the_last_event(string phase, string effects, SandboxPhase shown)
    {
        var state = After(Path(phase));

        Assert.Equal(effects, Names(state.Unfinished()));
        Assert.Equal(shown, state.View!.Phase);
    }

    [Theory]
    [InlineData("Starting", "NoticeReboot")]
    [InlineData("Attached", "NoticeReboot")]
    [InlineData("Ready", "NoticeReboot")]
    [InlineData("Untaken", "NoticeReboot")]
    [InlineData("Lost", "")]
    [InlineData("Stopping", "StopContainers")]
    [InlineData("Stopped", "")]
    [InlineData("Removing", "RemoveContainers")]
    [InlineData("Failed", "TearDown")]
    public void After_a_reboot_nothing_is_ready(string phase, string effects) =>
        Assert.Equal(effects, Names(After(Options with { BootId = "boot-2" }, Path(phase)).Unfinished()));

    [Fact]
    public void A_start_that_is_resumed_replaces_the_shim_and_a_new_one_does_not()
    {
        Assert.False(After().Decide(Run(), Now).Effects.OfType<StartShim>().Single().Again);
        Assert.True(After(Requested).Unfinished().OfType<StartShim>().Single().Again);
    }

    [Fact]
    public void A_pod_on_the_hosts_network_is_started_without_any()
    {
        var config = Config with { Hostname = "ignored", Security = Config.Security with { Network = Runtime.Actors.Sandboxes.NamespaceMode.Node } };

        var decision = After().Decide(Run(config), Now);
        var state = After(decision.Events);

        Assert.Equal("StartShim", Names(decision.Effects));
        Assert.Equal("SandboxShimStarted SandboxRunCompleted", Names(state.Decide(
            new EffectDone(new StartShim(state.Plan!, false), 42u), Now).Events));
        Assert.Equal("", state.View!.NetworkNamespacePath);
        Assert.Equal("", state.View.UtsNamespacePath);
        Assert.Equal("node", state.View.Hostname);
    }

    [Fact]
    public void What_an_update_says_replaces_what_was_said_before()
    {
        var first = new SandboxResourcesUpdated(new() { CpuShares = 2 }, new() { MemoryLimit = 1 << 20 }, Now);
        var ready = After([.. Path("Ready"), first]);

        var updated = ready.Apply(new SandboxResourcesUpdated(null, new() { MemoryLimit = 2 << 20 }, Now));

        Assert.Equal(2, ready.View!.Config.Overhead!.CpuShares);
        Assert.Null(updated.View!.Config.Overhead);
        Assert.Equal(2 << 20, updated.View.Config.Resources!.MemoryLimit);
        Assert.Same(updated.View.Config, updated.Plan!.Config);
        Assert.Equal(ready.View.Phase, updated.View.Phase);
    }

    [Fact]
    public void A_ready_sandbox_shows_what_it_has_and_a_stopped_one_has_lost_it()
    {
        var ready = After(Path("Ready")).View!;
        Assert.Equal(["10.0.0.2", "fd00::2"], ready.Ips);
        Assert.Equal(42u, ready.Pid);
        Assert.Equal($"/state/netns/{Id}", ready.NetworkNamespacePath);
        Assert.Equal($"/state/sandboxes/{Id}/ipc", ready.IpcNamespacePath);
        Assert.Equal($"/kubepods/pod1/{Id}", ready.CgroupPath);
        Assert.Equal("runc", ready.RuntimeHandler);
        Assert.Equal(Now, ready.CreatedAt);

        var stopped = After(Path("Stopped")).View!;
        Assert.Empty(stopped.Ips);
        Assert.Equal(0u, stopped.Pid);
        Assert.Equal("", stopped.NetworkNamespacePath);
        Assert.Equal(Config, stopped.Config);
    }

    [Fact]
    public void A_lost_sandbox_says_why() => Assert.Equal("The pod's shim died.", After(Path("Lost")).View!.Reason);

    [Fact]
    public void A_removed_sandbox_is_not_shown_and_has_ended()
    {
        var state = After(Path("Removed"));

        Assert.Null(state.View);
        Assert.True(state.Ended);
        Assert.Empty(state.Unfinished());
    }

    [Fact]
    public void Delete_is_told_whether_the_network_is_known_to_be_attached()
    {
        Assert.True(Assert.IsType<ReleaseSandbox>(After(Path("Stopping")).Decide(Message("containers-stopped"), Now).Effects[0]).Attached);
        Assert.False(Assert.IsType<TearDown>(After(Requested).Decide(Message("attach-failed"), Now).Effects[0]).Attached);
        Assert.False(Assert.IsType<TearDown>(
            After([.. Path("Stopped"), RemoveRequested]).Decide(Message("containers-removed"), Now).Effects[0]).Attached);
    }

    [Fact]
    public void Pauses_between_attempts_grow_up_to_a_limit()
    {
        var pauses = new[] { 0, 1, 2, 10, 63 }.Select(failures => Assert.IsType<RetryLater>(After(Path("Removing")).Decide(
            new EffectFailed(new TearDown(Plan, true, failures), Fault), Now).Effects[0]));

        Assert.Equal([1, 2, 4, 30, 30], pauses.Select(pause => pause.After.TotalSeconds));
    }

    [Fact]
    public void Whoever_waits_for_a_start_that_failed_learns_why()
    {
        var answers = After(Path("Failed")).Decide(Message("torn-down"), Now).Answers;

        Assert.Equal(Failed.Fault, Assert.IsType<Rejected>(answers[0].Reply).Fault);
        Assert.IsType<SandboxStopped>(answers[1].Reply);
        Assert.IsType<SandboxRemoved>(answers[2].Reply);
    }

    [Fact]
    public void A_view_is_a_new_one_only_when_something_changed()
    {
        var state = After(Path("Ready"));

        Assert.Same(state.View, state.View);
        Assert.NotSame(state.View, state.Apply(StopRequested).View);
    }

    [Fact]
    public void Every_event_is_read_as_it_was_written()
    {
        var config = Config with
        {
            Dns = new DnsConfig(["1.1.1.1"], ["a.b"], []),
            PortMappings = [new PortMapping(PortProtocol.Udp, 53, 5353, "127.0.0.1")],
            Sysctls = Config.Sysctls.Add("net.core.somaxconn", "10"),
            Annotations = Config.Annotations.Add("a", "b"),
        };
        IDomainEvent[] events =
        [
            Requested with { Plan = SandboxPlan.Make(Space, Id, config, Options) }, Attached, ShimUp, Completed, Untaken, new SandboxTaken(Now),
            Lost, new SandboxResourcesUpdated(new() { CpuShares = 2 }, null, Now), StopRequested, StopCompleted, RemoveRequested, Failed, Removed,
        ];

        Assert.Equal(SandboxJournal.Types.Length, events.Select(one => one.GetType()).Distinct().Count());
        foreach (var recorded in events)
        {
            var type = SandboxJournal.Types.Single(one => one.Type == recorded.GetType());
            var json = JsonSerializer.Serialize(recorded, type.Json);
            Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type.Json), type.Json));
        }
    }

    private static string Names<T>(IEnumerable<T> items) => string.Join(' ', items.Select(item => item!.GetType().Name));

    private static object Message(string command) => command switch
    {
        "run" => Run(),
        "stop" => Stop,
        "remove" => Remove,
        "update" => new UpdateSandbox(Space, Id, null, new() { MemoryLimit = 1 << 20 }),
        "attached" => new EffectDone(new AttachNetwork(Plan), new NetworkOutcome(["10.0.0.2"], "{}")),
        "attach-failed" => new EffectFailed(new AttachNetwork(Plan), Fault),
        "shim-started" => new EffectDone(new StartShim(Plan, false), 42u),
        "shim-failed" => new EffectFailed(new StartShim(Plan, false), Fault),
        "died" => new EffectDone(new WatchSandbox(Plan), "The pod's shim died."),
        "watch-failed" => new EffectFailed(new WatchSandbox(Plan), Fault),
        "untaken" => StartUntaken.Instance,
        "expired" => new EffectDone(new ExpireUntaken(Now, TimeSpan.Zero), null),
        "expired-earlier" => new EffectDone(new ExpireUntaken(Now.AddMinutes(-1), TimeSpan.Zero), null),
        "rebooted" => new EffectDone(NoticeReboot.Instance, null),
        "containers-stopped" => new EffectDone(new StopContainers(Plan), null),
        "containers-not-stopped" => new EffectFailed(new StopContainers(Plan), Fault),
        "released" => new EffectDone(new ReleaseSandbox(Plan, true), null),
        "not-released" => new EffectFailed(new ReleaseSandbox(Plan, true), Fault),
        "retry-release" => new EffectDone(new RetryLater(TimeSpan.Zero, new ReleaseSandbox(Plan, true)), null),
        "containers-removed" => new EffectDone(new RemoveContainers(Plan), null),
        "containers-not-removed" => new EffectFailed(new RemoveContainers(Plan), Fault),
        "torn-down" => new EffectDone(new TearDown(Plan, true), null),
        "not-torn-down" => new EffectFailed(new TearDown(Plan, true), Fault),
        "retry-tear-down" => new EffectDone(new RetryLater(TimeSpan.Zero, new TearDown(Plan, true)), null),
        _ => throw new ArgumentOutOfRangeException(nameof(command), command, null),
    };
}
