using System.Collections.Immutable;
using Runtime.Actors.ClientTasks;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.ClientTasks;

public sealed class ClientTaskStateTests
{
    private static readonly NamespaceName Space = new("default");
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(1);
    private static readonly ClientTaskPlan Plan = new(Space, "t", "/b/t");
    private static readonly RuntimeFault Fault = new(FaultKind.Internal, "test.fault", "It failed.");
    private static readonly ProcessExit Exit = new(7, 3, Now);

    private static ClientTaskState Requested { get; } = ClientTaskState.Empty.Apply(new TaskCreateRequested(Plan, "io.containerd.runc.v2", ProcessIo.None, Now));

    private static ClientTaskState Created { get; } = Requested.Apply(new TaskCreateCompleted(7, Now));

    private static ClientTaskState Starting { get; } = Created.Apply(new ProcessStartRequested("", Now));

    private static ClientTaskState Running { get; } = Starting.Apply(new ProcessStartCompleted("", 7, Now));

    private static ClientTaskState Stopped { get; } = Running.Apply(new ProcessExited("", 3, Now, "", false));

    private static ClientTaskState WithExec { get; } = Running
        .Apply(new ExecCreateRequested("e", ProcessIo.None, Now)).Apply(new ExecCreateCompleted("e", Now))
        .Apply(new ProcessStartRequested("e", Now)).Apply(new ProcessStartCompleted("e", 9, Now));

    [Fact]
    public void A_create_is_stored_before_anything_is_made_and_the_process_is_watched_from_then_on()
    {
        var recipe = new TaskRecipe("io.containerd.runc.v2", null, "{}"u8.ToArray(), [], ProcessIo.None, "");

        var asked = ClientTaskState.Empty.Decide(new CreateTask(Space, "t", "/b/t", recipe), Now);
        Assert.IsType<TaskCreateRequested>(Assert.Single(asked.Events));
        var effect = Assert.IsType<SetUpTask>(Assert.Single(asked.Effects));
        var done = Requested.Decide(new EffectDone(effect, 7u), Now);
        Assert.Equal(new WatchProcess(Plan, ""), Assert.Single(done.Effects));
        Assert.Equal(new TaskCreated(7), Assert.Single(done.Answers).Reply);
        AssertRejected(FaultKind.AlreadyExists, Created.Decide(new CreateTask(Space, "t", "/b/t", recipe), Now));
    }

    [Fact]
    public void A_create_that_fails_is_undone_before_its_caller_hears_of_it()
    {
        var failed = Requested.Decide(new EffectFailed(new SetUpTask(Plan, null!), Fault), Now);
        Assert.Empty(failed.Answers);
        Assert.Equal(new DestroyTask(Plan), Assert.Single(failed.Effects));

        var undone = Follow(Requested, failed.Events).Decide(new EffectDone(new DestroyTask(Plan), null), Now);

        Assert.IsType<TaskDeleted>(Assert.Single(undone.Events));
        Assert.Equal(Fault, Assert.IsType<Rejected>(undone.Answers.Single(answer => answer.Join == ClientTaskState.CreateJoin).Reply).Fault);
    }

    [Fact]
    public void After_a_restart_a_creation_is_undone_and_what_runs_is_watched_again()
    {
        Assert.Equal([new DestroyTask(Plan)], Requested.Unfinished());
        Assert.Equal([new WatchProcess(Plan, "")], Created.Unfinished());
        Assert.Equal([new ObserveProcess(Plan, ""), new WatchProcess(Plan, "")], Running.Unfinished());
        Assert.Equal(
            [new ObserveProcess(Plan, ""), new WatchProcess(Plan, ""), new ObserveProcess(Plan, "e"), new WatchProcess(Plan, "e")],
            WithExec.Unfinished());
        Assert.Equal([new RemoveExec(Plan, "e")],
            Stopped.Apply(new ExecCreateRequested("e", ProcessIo.None, Now)).Unfinished());
        Assert.Empty(Stopped.Unfinished());
        Assert.Equal([new RemoveTask(Plan)], Stopped.Apply(new TaskDeleteRequested(Now)).Unfinished());
    }

    [Theory]
    [InlineData(ProcessStatus.Running, ClientProcessPhase.Running)]
    [InlineData(ProcessStatus.Created, ClientProcessPhase.Created)]
    [InlineData(ProcessStatus.Stopped, ClientProcessPhase.Stopped)]
    public void A_start_that_the_daemon_did_not_see_the_end_of_is_what_the_shim_says(ProcessStatus said, ClientProcessPhase phase)
    {
        var state = new ProcessState("t", "", 7, said, said == ProcessStatus.Stopped ? Exit : null);

        var decision = Starting.Decide(new EffectDone(new ObserveProcess(Plan, ""), state), Now);

        Assert.Equal(phase, Follow(Starting, decision.Events).View!.Init.Phase);
    }

    [Fact]
    public void An_exit_is_kept_until_the_task_is_deleted()
    {
        var ended = Running.Decide(new EffectDone(new WatchProcess(Plan, ""), new ProcessEnd(Exit, "", false)), Now);
        Assert.Equal(Exit, Assert.Single(ended.Answers).Reply);

        Assert.Equal(Exit, Stopped.Decide(new WaitProcess(Space, "t", ""), Now).Reply);
        var delete = Stopped.Decide(new DeleteProcess(Space, "t", ""), Now);
        Assert.IsType<TaskDeleteRequested>(Assert.Single(delete.Events));
        var gone = Follow(Stopped, delete.Events).Decide(new EffectDone(new RemoveTask(Plan), new TaskRemoval(null, false)), Now);
        Assert.IsType<TaskDeleted>(Assert.Single(gone.Events));
        Assert.Equal(Exit, gone.Answers.Single(answer => answer.Join == delete.Join).Reply);
    }

    [Fact]
    public void An_end_that_is_told_twice_counts_once() =>
        Assert.Empty(Stopped.Decide(new EffectDone(new WatchProcess(Plan, ""), new ProcessEnd(Exit with { Code = 9 }, "", false)), Now).Events);

    [Fact]
    public void Deleting_what_runs_asks_the_shim_and_is_refused_if_it_does()
    {
        var asked = Running.Decide(new DeleteProcess(Space, "t", ""), Now);
        var observe = Assert.IsType<ObserveProcess>(Assert.Single(asked.Effects));

        var refused = Running.Decide(new EffectDone(observe, new ProcessState("t", "", 7, ProcessStatus.Running, null)), Now);
        Assert.Empty(refused.Events);
        var reply = Assert.IsType<Rejected>(refused.Answers.Single(answer => answer.Join == asked.Join).Reply);
        Assert.Equal(FaultKind.FailedPrecondition, reply.Fault.Kind);

        // Its end was told to the client first: what the client knows the daemon has to know.
        var accepted = Running.Decide(new EffectDone(observe, new ProcessState("t", "", 7, ProcessStatus.Stopped, Exit)), Now);
        Assert.Equal([typeof(ProcessExited), typeof(TaskDeleteRequested)], accepted.Events.Select(stored => stored.GetType()));
        Assert.Equal([new RemoveTask(Plan)], accepted.Effects);
    }

    [Fact]
    public void A_deletion_that_the_shim_refuses_leaves_the_task_as_it_was()
    {
        var deleting = Stopped.Apply(new TaskDeleteRequested(Now));

        var refused = deleting.Decide(new EffectFailed(new RemoveTask(Plan), Fault with { Kind = FaultKind.FailedPrecondition }), Now);
        Assert.IsType<TaskDeleteRefused>(Assert.Single(refused.Events));
        Assert.Empty(Follow(deleting, refused.Events).Unfinished());

        var failed = deleting.Decide(new EffectFailed(new RemoveTask(Plan), Fault), Now);
        Assert.Empty(failed.Events);
        Assert.IsType<AwaitTaskRetry>(Assert.Single(failed.Effects));
        Assert.Equal([new RemoveTask(Plan)], deleting.Decide(new EffectDone(new AwaitTaskRetry(), null), Now).Effects);
    }

    [Theory]
    [InlineData("", FaultKind.InvalidArgument)]
    [InlineData("a/b", FaultKind.InvalidArgument)]
    [InlineData("..", FaultKind.InvalidArgument)]
    [InlineData("e", FaultKind.AlreadyExists)]
    public void Exec_ids_are_checked(string id, FaultKind kind) =>
        AssertRejected(kind, WithExec.Decide(new CreateExec(Space, "t", id, default, ProcessIo.None), Now));

    [Fact]
    public void An_exec_that_the_shim_refuses_is_gone()
    {
        var asked = Running.Decide(new CreateExec(Space, "t", "e", default, ProcessIo.None), Now);

        var refused = Follow(Running, asked.Events).Decide(new EffectFailed(asked.Effects.Single(), Fault), Now);

        Assert.Empty(Follow(Running, [.. asked.Events, .. refused.Events]).View!.Execs);
        Assert.Equal(asked.Join, Assert.Single(refused.Answers).Join);
    }

    [Fact]
    public void Starting_twice_is_refused_and_joined_while_it_starts()
    {
        AssertRejected(FaultKind.FailedPrecondition, Running.Decide(new StartProcess(Space, "t", ""), Now));
        AssertRejected(FaultKind.FailedPrecondition, Stopped.Decide(new StartProcess(Space, "t", ""), Now));
        AssertRejected(FaultKind.NotFound, Running.Decide(new StartProcess(Space, "t", "none"), Now));
        Assert.Equal(Created.Decide(new StartProcess(Space, "t", ""), Now).Join, Starting.Decide(new StartProcess(Space, "t", ""), Now).Join);
    }

    [Fact]
    public void An_exit_that_overtakes_its_start_stays()
    {
        var ended = Starting.Apply(new ProcessExited("", 3, Now, "", false)).Apply(new ProcessStartCompleted("", 7, Now));

        Assert.Equal(ClientProcessPhase.Stopped, ended.View!.Init.Phase);
        Assert.Equal(3u, ended.View.Init.Exit!.Code);
    }

    [Fact]
    public void Pause_and_resume_are_stored_when_they_took_place()
    {
        var asked = Running.Decide(new CallTask(Space, "t", "c", new PauseCall()), Now);
        Assert.Empty(asked.Events);
        var paused = Running.Decide(new EffectDone(asked.Effects.Single(), null), Now);
        Assert.IsType<TaskPaused>(Assert.Single(paused.Events));
        Assert.Equal(TaskCallDone.Instance, Assert.Single(paused.Answers).Reply);

        var state = Follow(Running, paused.Events);
        Assert.Equal(ClientProcessPhase.Paused, state.View!.Init.Phase);
        var resumed = state.Decide(new EffectDone(new RunTaskCall(Plan, "d", new ResumeCall()), null), Now);
        Assert.Equal(ClientProcessPhase.Running, Follow(state, resumed.Events).View!.Init.Phase);
    }

    [Fact]
    public void Waiters_of_an_exec_are_told_when_its_task_goes()
    {
        var gone = Stopped.Apply(new ExecCreateRequested("e", ProcessIo.None, Now)).Apply(new ExecCreateCompleted("e", Now))
            .Decide(new EffectDone(new RemoveTask(Plan), new TaskRemoval(Exit, false)), Now);

        Assert.IsType<Rejected>(gone.Answers.Single(answer => answer.Join == "wait/e").Reply);
    }

    private static ClientTaskState Follow(ClientTaskState state, ImmutableArray<IDomainEvent> events) =>
        events.Aggregate(state, (known, next) => known.Apply(next));

    private static void AssertRejected(FaultKind kind, Decision decision)
    {
        Assert.Empty(decision.Events);
        Assert.Equal(kind, Assert.IsType<Rejected>(decision.Reply).Fault.Kind);
    }
}
