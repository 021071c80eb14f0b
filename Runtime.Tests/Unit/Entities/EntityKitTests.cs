using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Entities;

/// <summary>The entity kit on the real journal: recovery, joins, ids used again, throwing actors, failing writes.</summary>
public sealed class EntityKitTests : IAsyncLifetime
{
    private static readonly NamespaceName Space = new("test");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TestJournal _journal = new();
    private readonly JobWork _work = new();
    private ReadModel<JobView> _views = null!;
    private ActorSystem _system = null!;
    private IActorRef _jobs = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private JournalStore Store => _journal.StoreOf(_system);

    public ValueTask InitializeAsync()
    {
        Start();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _journal.DisposeAsync();
        _work.Dispose();
    }

    [Fact]
    public async Task The_reply_comes_after_the_event_is_stored_and_the_view_is_current()
    {
        await CreateAsync("a");
        Assert.Equal(new JobView("a", JobPhase.Idle, 0), _views.Find(Space, "a"));
        Assert.Equal(["job/test/a"], await Store.LiveAsync("job/", Cancellation));
    }

    [Fact]
    public async Task A_retry_joins_the_operation_in_flight_and_both_get_its_outcome()
    {
        await CreateAsync("a");
        var first = Ask(new RunJob(Space, "a"));
        var work = await _work.NextAsync(Cancellation);
        var second = Ask(new RunJob(Space, "a"));
        // Refused in between: shows that the second is waiting before the work ends.
        Assert.Equal("job.forbidden", (await RejectedAsync(new ForbidJob(Space, "a"))).Code);
        work.SetResult("fine");
        Assert.Equal(new JobDone("a", "fine"), await first);
        Assert.Equal(new JobDone("a", "fine"), await second);
        Assert.Equal(1, _views.Find(Space, "a")!.Runs);
    }

    [Fact]
    public async Task A_failed_effect_is_decided_about_and_answers_its_fault()
    {
        await CreateAsync("a");
        var running = Ask(new RunJob(Space, "a"));
        (await _work.NextAsync(Cancellation)).SetException(new FaultException(FaultKind.Unavailable, "work.away", "away"));
        Assert.Equal("work.away", Assert.IsType<Rejected>(await running).Fault.Code);
        Assert.Equal(JobPhase.Idle, _views.Find(Space, "a")!.Phase);
    }

    [Fact]
    public async Task After_a_restart_every_live_entity_is_back_and_an_unfinished_effect_runs_again()
    {
        await CreateAsync("a");
        await CreateAsync("b");
        await CreateAsync("gone");
        Assert.Equal(new JobOk("gone"), await Ask(new RemoveJob(Space, "gone")));
        _ = Ask(new RunJob(Space, "a"));
        await _work.NextAsync(Cancellation);

        await RestartAsync();

        var again = await _work.NextAsync(Cancellation);
        var joined = Ask(new RunJob(Space, "a"));
        Assert.Equal("job.forbidden", (await RejectedAsync(new ForbidJob(Space, "a"))).Code);
        Assert.Equal(["a", "b"], (await ChildrenAsync()).Order());
        Assert.Equal(["a", "b"], _views.In(Space).Keys.Order());
        again.SetResult("second time");
        Assert.Equal(new JobDone("a", "second time"), await joined);
    }

    [Fact]
    public async Task Commands_that_come_before_recovery_is_over_wait_for_it()
    {
        for (var i = 0; i < 30; i++) await CreateAsync($"job-{i}");
        await _journal.StopAsync(_system);
        Start();
        // Told at once: the manager has not even read its catalogue.
        var replies = Enumerable.Range(0, 30).Select(i => Ask(new RemoveJob(Space, $"job-{i}"))).ToArray();
        foreach (var reply in await Task.WhenAll(replies)) Assert.IsType<JobOk>(reply);
    }

    [Fact]
    public async Task An_ended_id_can_be_used_again_at_once_and_starts_anew()
    {
        for (var life = 0; life < 20; life++)
        {
            await CreateAsync("a");
            Assert.Equal(new JobOk("a"), await Ask(new RemoveJob(Space, "a")));
        }
        await CreateAsync("a");
        var running = Ask(new RunJob(Space, "a"));
        (await _work.NextAsync(Cancellation)).SetResult("x");
        await running;
        Assert.Equal(1, _views.Find(Space, "a")!.Runs);

        await RestartAsync();
        Assert.Equal("job.forbidden", (await RejectedAsync(new ForbidJob(Space, "a"))).Code);
        Assert.Equal(new JobView("a", JobPhase.Idle, 1), _views.Find(Space, "a"));
    }

    [Fact]
    public async Task Commands_behind_the_last_event_reach_the_next_life_and_none_is_lost()
    {
        await CreateAsync("a");
        var removed = Ask(new RemoveJob(Space, "a"));
        var created = Ask(new CreateJob(Space, "a"));
        var again = Ask(new CreateJob(Space, "a"));
        Assert.Equal(new JobOk("a"), await removed);
        Assert.Equal(new JobOk("a"), await created);
        Assert.Equal("job.wrong-phase", Assert.IsType<Rejected>(await again).Fault.Code);
        Assert.Equal(JobPhase.Idle, _views.Find(Space, "a")!.Phase);
        Assert.Equal(["job/test/a"], await Store.LiveAsync("job/", Cancellation));
    }

    [Fact]
    public async Task An_ended_entity_leaves_no_actor_and_no_view()
    {
        await CreateAsync("a");
        await Ask(new RemoveJob(Space, "a"));
        await UntilAsync(async () => (await ChildrenAsync()).Length == 0);
        Assert.Null(_views.Find(Space, "a"));
        Assert.Equal("job.unknown", (await RejectedAsync(new RunJob(Space, "a"))).Code);
    }

    [Fact]
    public async Task A_command_that_is_refused_before_anything_exists_leaves_no_actor()
    {
        Assert.Equal("job.forbidden", (await RejectedAsync(new ForbidJob(Space, "a"))).Code);
        await UntilAsync(async () => (await ChildrenAsync()).Length == 0);
        await CreateAsync("a");
    }

    [Fact]
    public async Task An_entity_that_throws_answers_its_caller_restarts_and_begins_its_effect_again()
    {
        await CreateAsync("a");
        var joined = Ask(new RunJob(Space, "a"));
        var first = await _work.NextAsync(Cancellation);

        Assert.Equal("entity.stopped", (await RejectedAsync(new BreakJob(Space, "a"))).Code);
        Assert.Equal("entity.stopped", Assert.IsType<Rejected>(await joined).Fault.Code);

        var second = await _work.NextAsync(Cancellation);
        Assert.True(first.Task.IsCanceled);
        var retried = Ask(new RunJob(Space, "a"));
        Assert.Equal("job.forbidden", (await RejectedAsync(new ForbidJob(Space, "a"))).Code);
        second.SetResult("done");
        // Had the cancelled effect of the first incarnation counted, this would be a rejection.
        Assert.Equal(new JobDone("a", "done"), await retried);
    }

    [Fact]
    public async Task An_entity_that_throws_again_and_again_stops_and_comes_back_by_itself()
    {
        await CreateAsync("a");
        await CreateAsync("b");
        RuntimeFault fault;
        do fault = await RejectedAsync(new BreakJob(Space, "a"));
        while (fault.Code == "entity.stopped");
        Assert.Equal((FaultKind.Unavailable, "entity.restarting"), (fault.Kind, fault.Code));
        Assert.Equal("job.wrong-phase", (await RejectedAsync(new CreateJob(Space, "b"))).Code);
        await UntilAsync(async () => await Ask(new RemoveJob(Space, "a")) is JobOk);
    }

    [Fact]
    public async Task A_write_that_the_journal_rejects_is_answered_with_its_fault_and_the_entity_goes_on()
    {
        await CreateAsync("a");
        var fault = await RejectedAsync(new MisfileJob(Space, "a"));
        Assert.Equal((FaultKind.InvalidArgument, "journal.unregistered-type"), (fault.Kind, fault.Code));
        Assert.Equal(new JobOk("a"), await Ask(new RemoveJob(Space, "a")));
    }

    [Fact]
    public async Task Without_space_a_command_is_refused_and_an_outcome_is_stored_once_there_is_room()
    {
        await CreateAsync("a");
        var running = Ask(new RunJob(Space, "a"));
        var work = await _work.NextAsync(Cancellation);
        await FillAsync();

        Assert.Equal("journal.disk-full", (await RejectedAsync(new CreateJob(Space, "b"))).Code);
        work.SetResult("lost for now");
        Assert.Equal("entity.stopped", Assert.IsType<Rejected>(await running).Fault.Code);
        var again = await _work.NextAsync(Cancellation); // it came back, and began its effect again

        await MakeRoomAsync();
        again.SetResult("kept");
        await UntilAsync(() => Task.FromResult(_views.Find(Space, "a") is { Phase: JobPhase.Idle, Runs: 1 }));
        await CreateAsync("b");
    }

    [Fact]
    public async Task An_entity_whose_write_fails_stops_and_comes_back_with_what_was_stored()
    {
        await CreateAsync("a");
        // Somebody else writes under its id: its next sequence number is taken.
        await Store.AppendAsync("job/test/a", [new JournalEvent(2, "job.started.v1", "{}"u8.ToArray())], DateTimeOffset.UnixEpoch, Cancellation);
        Assert.Equal("entity.stopped", (await RejectedAsync(new RemoveJob(Space, "a"))).Code);
        (await _work.NextAsync(Cancellation)).SetResult("as the other one wrote");
        await UntilAsync(() => Task.FromResult(_views.Find(Space, "a") is { Runs: 1 }));
    }

    [Fact]
    public async Task One_entity_that_cannot_recover_does_not_hold_up_its_siblings()
    {
        await CreateAsync("good");
        await CreateAsync("bad");
        await Store.AppendAsync("job/test/bad", [new JournalEvent(2, "job.exploded.v7", "{}"u8.ToArray())], DateTimeOffset.UnixEpoch, Cancellation);
        await RestartAsync();
        Assert.Equal(new JobOk("good"), await Ask(new RemoveJob(Space, "good")));
        Assert.Equal("entity.restarting", (await RejectedAsync(new RemoveJob(Space, "bad"))).Code);
    }

    [Theory]
    [InlineData("docker.io/library/busybox:latest")]
    [InlineData("$weird [name] %41 \u00fc")]
    public async Task Any_text_can_be_an_id(string id)
    {
        await CreateAsync(id);
        await RestartAsync();
        Assert.Equal(new JobOk(id), await Ask(new RemoveJob(Space, id)));
    }

    [Fact]
    public async Task A_thousand_entities_recover()
    {
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => CreateAsync($"{i}")));
        await RestartAsync();
        Assert.Equal("job.wrong-phase", (await RejectedAsync(new CreateJob(Space, "999"))).Code);
        Assert.Equal(1000, _views.In(Space).Count);
    }

    private void Start()
    {
        _system = _journal.Start(JobState.Types);
        _views = new ReadModel<JobView>();
        _jobs = _system.ActorOf(JobManager.Props(Space, Store, _views, _work), "jobs");
    }

    private async Task RestartAsync()
    {
        await _journal.StopAsync(_system);
        Start();
    }

    private Task<object> Ask(IEntityCommand command) => _jobs.Ask<object>(command, Patience, Cancellation);

    private async Task CreateAsync(string id) => Assert.Equal(new JobOk(id), await Ask(new CreateJob(Space, id)));

    private async Task<RuntimeFault> RejectedAsync(IEntityCommand command) =>
        Assert.IsType<Rejected>(await Ask(command)).Fault;

    private Task<string[]> ChildrenAsync() => _jobs.Ask<string[]>("children", Patience, Cancellation);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var end = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(end) < Patience, "It did not come true in time.");
            await Task.Delay(10, Cancellation);
        }
    }

    // No page is left for new events.
    private async Task FillAsync()
    {
        var pages = await PragmaAsync("PRAGMA page_count");
        await PragmaAsync($"PRAGMA max_page_count = {pages}");
        for (var sequence = 1L; ; sequence++)
        {
            try
            {
                await Store.AppendAsync(
                    "filler/test/x", [new JournalEvent(sequence, "job.started.v1", "{}"u8.ToArray())], DateTimeOffset.UnixEpoch, Cancellation);
            }
            catch (FaultException full) when (full.Fault.Code == "journal.disk-full")
            {
                return;
            }
        }
    }

    private Task<long> MakeRoomAsync() => PragmaAsync("PRAGMA max_page_count = 1000000");

    private Task<long> PragmaAsync(string sql) => Store.ChangeAsync(session =>
    {
        using var pragma = new JournalStatement(session.Connection, sql);
        return pragma.Scalar() ?? 0;
    }, Cancellation);
}
