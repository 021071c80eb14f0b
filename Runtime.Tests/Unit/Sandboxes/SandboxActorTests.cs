using System.Diagnostics;
using Akka.Actor;
using Microsoft.Extensions.Time.Testing;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Tests.Support;
using Xunit;
using static Runtime.Tests.Unit.Sandboxes.SandboxSamples;

namespace Runtime.Tests.Unit.Sandboxes;

public sealed class SandboxActorTests : IAsyncLifetime
{
    private static readonly string Other = new('b', 64);

    private readonly TestJournal _journal = new();
    private readonly FakeMachine _machine = new();
    private readonly FakeTimeProvider _clock = new(Now);
    private ReadModel<SandboxView> _views = new();
    private ReadModel<ContainerView> _containers = new();
    private SandboxOptions _options = Options;
    private ActorSystem _system = null!;
    private IActorRef _space = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SandboxView? View => _views.Find(Space, Id);

    public ValueTask InitializeAsync()
    {
        StartDaemon();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    [Fact]
    public async Task A_run_makes_everything_and_a_removal_leaves_nothing()
    {
        Assert.Equal(Id, (await AskAsync<SandboxStarted>(Run())).SandboxId);
        Assert.Equal([$"files {Id}", $"lease {Id}", $"pins {Id}", $"sandbox {Id}", $"shim {Id}"], _machine.Exist);
        Assert.Equal(SandboxPhase.Ready, View!.Phase);
        Assert.Equal(42u, View.Pid);

        await AskAsync<SandboxStopped>(Stop);
        Assert.Equal([$"files {Id}", $"shim {Id}"], _machine.Exist);
        Assert.Equal(SandboxPhase.NotReady, View!.Phase);

        await AskAsync<SandboxRemoved>(Remove);
        Assert.Empty(_machine.Exist);
        Assert.Null(View);
    }

    [Fact]
    public async Task A_pause_container_is_the_pods_first_process_where_the_configuration_asks_for_one()
    {
        await RestartDaemonAsync(() => _options = _options with { PauseImage = "pause:1" });
        await AskAsync<SandboxStarted>(Run());
        Assert.Equal([$"files {Id}", $"lease {Id}", $"pause {Id}", $"pins {Id}", $"rootfs {Id}", $"sandbox {Id}", $"shim {Id}"], _machine.Exist);
        Assert.Equal(43u, View!.Pid);

        // What a pod has is in the journal: another configuration does not change it.
        await RestartDaemonAsync(() => _options = _options with { PauseImage = null });
        await AskAsync<SandboxStopped>(Stop);
        Assert.Equal([$"files {Id}", $"rootfs {Id}", $"shim {Id}"], _machine.Exist);

        await AskAsync<SandboxRemoved>(Remove);
        Assert.Empty(_machine.Exist);
    }

    [Theory]
    [InlineData("prepare-pause")]
    [InlineData("create-pause")]
    [InlineData("start-pause")]
    public async Task A_pause_container_that_cannot_be_made_leaves_nothing(string step)
    {
        await RestartDaemonAsync(() => _options = _options with { PauseImage = "pause:1" });
        _machine.Fail(step);

        var refused = await AskAsync<Rejected>(Run());

        Assert.Contains(step, refused.Fault.Message, StringComparison.Ordinal);
        await UntilAsync(() => _machine.Exist.Length == 0);
    }

    [Fact]
    public async Task A_pod_whose_pause_container_ends_is_not_ready()
    {
        await RestartDaemonAsync(() => _options = _options with { PauseImage = "pause:1" });
        await AskAsync<SandboxStarted>(Run());

        _machine.EndProcess(Id);

        await UntilAsync(() => View is { Phase: SandboxPhase.NotReady });
        Assert.Contains("ended", View!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_and_remove_of_what_is_not_there_succeed()
    {
        await AskAsync<SandboxStopped>(Stop);
        await AskAsync<SandboxRemoved>(Remove);
        Assert.Empty(_machine.Calls);
    }

    [Fact]
    public async Task A_retry_joins_the_run_in_flight()
    {
        _machine.Hold("add");
        var first = AskAsync<SandboxStarted>(Run());
        var second = AskAsync<SandboxStarted>(Run(id: Other));
        await UntilAsync(() => _machine.Count("add") == 1);

        _machine.Resume("add");

        Assert.Equal(Id, (await first).SandboxId);
        Assert.Equal(Id, (await second).SandboxId);
        Assert.Equal(1, _machine.Count("start-shim"));
    }

    [Fact]
    public async Task A_sandbox_whose_caller_has_gone_is_hidden_until_the_retry_takes_it()
    {
        await RunWithoutCallerAsync();
        Assert.Equal(SandboxPhase.Creating, View!.Phase);

        Assert.Equal(Id, (await AskAsync<SandboxStarted>(Run(id: Other))).SandboxId);

        Assert.Equal(SandboxPhase.Ready, View!.Phase);
        _clock.Advance(_options.UntakenLimit * 2);
        await AskAsync<SandboxStopped>(Stop);
        Assert.NotNull(View);
    }

    [Fact]
    public async Task A_sandbox_that_nobody_takes_is_undone_after_a_while()
    {
        await RunWithoutCallerAsync();

        await AdvanceUntilAsync(_options.UntakenLimit, () => _machine.Exist.Length == 0 && View is null);

        Assert.Equal(Other, (await AskAsync<SandboxStarted>(Run(id: Other))).SandboxId);
    }

    [Fact]
    public async Task A_sandbox_that_was_delivered_is_not_run_again()
    {
        await AskAsync<SandboxStarted>(Run());

        Assert.Equal("sandbox.exists", (await AskAsync<Rejected>(Run(id: Other))).Fault.Code);

        await AskAsync<SandboxRemoved>(Remove);
        Assert.Equal(Other, (await AskAsync<SandboxStarted>(Run(id: Other))).SandboxId);
    }

    [Theory]
    [InlineData("add")]
    [InlineData("pin")]
    [InlineData("prepare")]
    [InlineData("start-shim")]
    [InlineData("create-sandbox")]
    [InlineData("start-sandbox")]
    public async Task A_step_that_fails_is_answered_once_everything_is_undone(string step)
    {
        _machine.Fail(step);

        Assert.Equal("test.fault", (await AskAsync<Rejected>(Run())).Fault.Code);

        Assert.Empty(_machine.Exist);
        Assert.Null(View);
        _machine.Heal(step);
        Assert.Equal(Other, (await AskAsync<SandboxStarted>(Run(id: Other))).SandboxId);
    }

    [Fact]
    public async Task A_failure_cancels_the_other_half_of_the_start()
    {
        _machine.Hold("add");
        _machine.Fail("start-shim");

        Assert.Equal("test.fault", (await AskAsync<Rejected>(Run())).Fault.Code);

        Assert.Empty(_machine.Exist);
    }

    [Fact]
    public async Task A_start_that_cannot_be_undone_holds_up_neither_its_caller_nor_the_name()
    {
        _machine.Fail("add");
        _machine.Fail("del");

        await AskAsync<Rejected>(Run());
        Assert.Contains($"lease {Id}", _machine.Exist);
        _machine.Heal("add");
        Assert.Equal(Other, (await AskAsync<SandboxStarted>(Run(id: Other))).SandboxId);

        _machine.Heal("del");
        await AdvanceUntilAsync(_options.RetryMax, () => !_machine.Exist.Contains($"lease {Id}"));
    }

    [Fact]
    public async Task What_is_refused_leaves_no_trace()
    {
        var config = Config with { RuntimeHandler = "kata" };

        Assert.Equal("runtime.unknown-handler", (await AskAsync<Rejected>(Run(config))).Fault.Code);

        Assert.Empty(_machine.Calls);
        Assert.Equal(Id, (await AskAsync<SandboxStarted>(Run())).SandboxId);
    }

    [Fact]
    public async Task A_delete_that_fails_answers_the_error_and_is_tried_again()
    {
        await AskAsync<SandboxStarted>(Run());
        _machine.Fail("del");

        Assert.Equal("test.fault", (await AskAsync<Rejected>(Stop)).Fault.Code);

        Assert.Equal(SandboxPhase.NotReady, View!.Phase);
        Assert.DoesNotContain($"sandbox {Id}", _machine.Exist);
        Assert.DoesNotContain($"pins {Id}", _machine.Exist);
        _machine.Heal("del");
        await AskAsync<SandboxStopped>(Stop);
        Assert.DoesNotContain($"lease {Id}", _machine.Exist);
    }

    [Fact]
    public async Task A_dead_shim_makes_the_sandbox_not_ready_and_it_can_still_be_stopped_and_removed()
    {
        await AskAsync<SandboxStarted>(Run());

        _machine.KillShim(Id);

        await UntilAsync(() => View?.Phase == SandboxPhase.NotReady);
        Assert.Equal("The pod's shim died.", View!.Reason);
        await AskAsync<SandboxStopped>(Stop);
        Assert.Equal(1, _machine.Count("clean-up"));
        await AskAsync<SandboxRemoved>(Remove);
        Assert.Empty(_machine.Exist);
    }

    [Fact]
    public async Task A_stop_while_it_starts_undoes_the_start()
    {
        _machine.Hold("add");
        var run = AskAsync<Rejected>(Run());
        await UntilAsync(() => _machine.Count("add") == 1);

        await AskAsync<SandboxStopped>(Stop);

        Assert.Equal("sandbox.stopped", (await run).Fault.Code);
        Assert.Empty(_machine.Exist);
    }

    [Fact]
    public async Task Containers_are_stopped_before_and_removed_with_their_sandbox()
    {
        await AskAsync<SandboxStarted>(Run());
        foreach (var (id, sandbox) in new[] { ("c1", Id), ("c2", Id), ("c3", Other) })
            _containers.Set(Space, id, new ContainerView
            {
                Id = id,
                SandboxId = sandbox,
                Config = new ContainerConfig { Name = id, Image = "i" },
                Phase = ContainerPhase.Running,
                CreatedAt = Now,
            });

        await AskAsync<SandboxStopped>(Stop);
        Assert.Equal(["stop c1", "stop c2"], ContainerCalls.Told.Order());
        await AskAsync<SandboxRemoved>(Remove);
        Assert.Equal(["remove c1", "remove c2", "stop c1", "stop c2"], ContainerCalls.Told.Order());
    }

    [Theory]
    [InlineData("add")]
    [InlineData("start-shim")]
    [InlineData("create-sandbox")]
    public async Task A_daemon_that_dies_in_a_run_finishes_it_for_the_retry(string step)
    {
        _machine.Hold(step);
        Tell(Run());
        await UntilAsync(() => _machine.Count(step) == 1 && View is not null);
        await RestartDaemonAsync(() => _machine.Resume(step));

        Assert.Equal(Id, (await AskAsync<SandboxStarted>(Run(id: Other))).SandboxId);

        Assert.Equal([$"files {Id}", $"lease {Id}", $"pins {Id}", $"sandbox {Id}", $"shim {Id}"], _machine.Exist);
        await UntilAsync(() => View?.Phase == SandboxPhase.Ready);
    }

    [Fact]
    public async Task A_daemon_that_dies_in_a_run_undoes_it_when_no_retry_comes()
    {
        _machine.Hold("add");
        Tell(Run());
        await UntilAsync(() => _machine.Count("add") == 1 && View is not null);
        await RestartDaemonAsync(() => _machine.Resume("add"));

        await UntilAsync(() => _machine.Exist.Contains($"sandbox {Id}") && View?.Pid == 42);
        await AdvanceUntilAsync(_options.UntakenLimit, () => _machine.Exist.Length == 0 && View is null);
    }

    [Theory]
    [InlineData("del")]
    [InlineData("stop-sandbox")]
    [InlineData("unpin")]
    public async Task A_daemon_that_dies_in_a_stop_finishes_it(string step)
    {
        await AskAsync<SandboxStarted>(Run());
        _machine.Hold(step);
        Tell(Stop);
        await UntilAsync(() => _machine.Count(step) == 1);
        await RestartDaemonAsync(() => _machine.Resume(step));

        await UntilAsync(() => View is { Phase: SandboxPhase.NotReady, NetworkNamespacePath: "" });
        Assert.Equal([$"files {Id}", $"shim {Id}"], _machine.Exist);
    }

    [Theory]
    [InlineData("del")]
    [InlineData("shutdown")]
    [InlineData("delete")]
    public async Task A_daemon_that_dies_in_a_removal_finishes_it(string step)
    {
        await AskAsync<SandboxStarted>(Run());
        _machine.Hold(step);
        Tell(Remove);
        await UntilAsync(() => _machine.Count(step) == 1);
        await RestartDaemonAsync(() => _machine.Resume(step));

        await UntilAsync(() => _machine.Exist.Length == 0 && View is null);
    }

    [Fact]
    public async Task A_ready_sandbox_is_ready_after_a_restart_and_keeps_its_name()
    {
        await AskAsync<SandboxStarted>(Run());
        await RestartDaemonAsync();

        Assert.Equal("sandbox.exists", (await AskAsync<Rejected>(Run(id: Other))).Fault.Code);
        Assert.Equal(SandboxPhase.Ready, View!.Phase);
        _machine.KillShim(Id);
        await UntilAsync(() => View?.Phase == SandboxPhase.NotReady);
    }

    [Fact]
    public async Task A_shim_that_died_with_the_daemon_is_noticed_after_the_restart()
    {
        await AskAsync<SandboxStarted>(Run());
        await RestartDaemonAsync(() => _machine.KillShim(Id));

        await UntilAsync(() => View?.Phase == SandboxPhase.NotReady);
        Assert.Equal("The pod's shim died.", View!.Reason);
    }

    [Fact]
    public async Task A_reboot_makes_every_sandbox_not_ready_and_frees_its_address()
    {
        await AskAsync<SandboxStarted>(Run());
        await RestartDaemonAsync(() =>
        {
            _options = _options with { BootId = "boot-2" };
            _machine.KillShim(Id);
            _machine.Things.TryRemove($"pins {Id}", out _);
        });

        await UntilAsync(() => View?.Phase == SandboxPhase.NotReady && !_machine.Exist.Contains($"lease {Id}"));
        Assert.Contains("booted", View!.Reason, StringComparison.Ordinal);
        await AskAsync<SandboxRemoved>(Remove);
        Assert.Empty(_machine.Exist);
    }

    private async Task RunWithoutCallerAsync()
    {
        using var gone = new CancellationTokenSource();
        _machine.Hold("add");
        Tell(Run() with { Caller = gone.Token });
        await UntilAsync(() => _machine.Count("add") == 1);
        await gone.CancelAsync();
        _machine.Resume("add");
        await UntilAsync(() => View is { Pid: 42, Phase: SandboxPhase.Creating });
    }

    private void StartDaemon()
    {
        _views = new ReadModel<SandboxView>();
        _containers = new ReadModel<ContainerView>();
        _system = _journal.Start(SandboxJournal.Types, _clock);
        var catalog = _journal.StoreOf(_system);
        var slice = SandboxSlice.Create(_options, _machine.Ports, _views, _containers, catalog, _clock);
        var containers = new NamespaceSlice("containers", typeof(IContainerCommand), _ => Props.Create(() => new ContainerCalls()));
        _space = _system.ActorOf(NamespaceManager.Props([slice, containers], [Space]), NamespaceManager.Name);
        ContainerCalls.Told = [];
    }

    /// <summary>Stops the actors with whatever they were at, and starts new ones on the same journal and machine.</summary>
    private async Task RestartDaemonAsync(Action? between = null)
    {
        await _journal.StopAsync(_system);
        between?.Invoke();
        StartDaemon();
    }

    private void Tell(object command) => _space.Tell(command, ActorRefs.NoSender);

    private async Task<T> AskAsync<T>(object command)
    {
        var reply = await _space.Ask(command, TimeSpan.FromSeconds(20), Cancellation);
        return reply is T expected ? expected : throw new InvalidOperationException($"{command.GetType().Name} was answered {reply}");
    }

    /// <summary>Lets time pass in steps, because a timer may be set only after the first of them.</summary>
    private async Task AdvanceUntilAsync(TimeSpan step, Func<bool> reached)
    {
        var waited = Stopwatch.StartNew();
        while (!reached())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), Told());
            _clock.Advance(step);
            await Task.Delay(10, Cancellation);
        }
    }

    private async Task UntilAsync(Func<bool> reached)
    {
        var waited = Stopwatch.StartNew();
        while (!reached())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), Told());
            await Task.Delay(5, Cancellation);
        }
    }

    private string Told() =>
        $"View: {View?.Phase} {View?.Reason}; exist: {string.Join(", ", _machine.Exist)}; calls: {string.Join(", ", _machine.Calls)}";

    private sealed class ContainerCalls : UntypedActor
    {
        public static System.Collections.Concurrent.ConcurrentBag<string> Told { get; set; } = [];

        protected override void OnReceive(object message)
        {
            switch (message)
            {
                case StopContainer stop:
                    if (stop.EntityId != Id) Told.Add($"stop {stop.EntityId}");
                    Sender.Tell(new ContainerStopped(stop.EntityId));
                    break;
                case RemoveContainer remove:
                    Told.Add($"remove {remove.EntityId}");
                    Sender.Tell(new ContainerRemoved(remove.EntityId));
                    break;
                default:
                    Unhandled(message);
                    break;
            }
        }
    }
}
