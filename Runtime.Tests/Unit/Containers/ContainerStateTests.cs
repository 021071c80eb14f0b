using System.Collections.Immutable;
using System.Text.Json;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Snapshots;
using Runtime.Actors.Tasks;
using Runtime.Faults;
using Runtime.Linux.Mounts;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Containers;

public sealed class ContainerStateTests
{
    private static readonly DateTimeOffset Now = new(2024, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly NamespaceName Space = NamespaceName.Kubernetes;
    private static readonly RuntimeFault Fault = new(FaultKind.Unavailable, "test.broken", "broken");
    private static readonly ImmutableArray<MountSpec> Rootfs = [new("bind", "/src", "", ["rbind"])];

    private static readonly ContainerPlan Plan = new()
    {
        Space = Space,
        Id = SpecRequests.ContainerId,
        SandboxId = SpecRequests.SandboxId,
        Config = SpecRequests.Config,
        ImageId = "sha256:1",
        ImageRef = "nginx@sha256:2",
        ImageName = "nginx:1",
        ChainId = "sha256:3",
        Snapshotter = "overlayfs",
        Image = new ImageDefaults(),
        RuntimeHandler = "runc",
        LogPath = "/var/log/pods/web/nginx/0.log",
        StopSignal = "SIGQUIT",
    };

    private static readonly ContainerState Creating = ContainerState.Empty.Apply(new ContainerCreateRequested(Plan, Now));
    private static readonly ContainerState Created = Creating.Apply(new ContainerCreateCompleted(new ContainerUser(0, 0, [0]), Rootfs, Now));
    private static readonly ContainerState Starting = Created.Apply(new ContainerStartRequested(Now));
    private static readonly ContainerState Running = Starting.Apply(new ContainerStartCompleted(7, Now));
    private static readonly ContainerState Exited = Running.Apply(new ContainerExited(0, "Completed", "", Now));
    private static readonly ContainerState Lost = Running.Apply(new ContainerLost("no answer", Now));
    private static readonly ContainerState Removing = Exited.Apply(new ContainerRemoveRequested(Now));

    [Fact]
    public void A_create_prepares_a_root_file_system_then_a_bundle_and_answers_last()
    {
        var begun = ContainerState.Empty.Decide(new AdmittedContainer(Plan), Now);
        Assert.IsType<ContainerCreateRequested>(Assert.Single(begun.Events));
        Assert.IsType<PrepareRootfs>(Assert.Single(begun.Effects));
        Assert.Null(begun.Reply);
        Assert.IsType<WriteBundle>(Assert.Single(Creating.Decide(new SnapshotMounts(Plan.Id, Rootfs), Now).Effects));
        var done = Creating.Decide(new EffectDone(new WriteBundle(Plan, Rootfs), new BundleOutcome(new ContainerUser(0, 0, [0]), Rootfs)), Now);
        Assert.Equal(new ContainerCreated(Plan.Id), Assert.Single(done.Answers).Reply);
    }

    [Fact]
    public void Image_volumes_are_viewed_before_the_bundle_and_released_before_the_root_file_system()
    {
        var plan = Plan with { ImageVolumes = [new ImageVolume("data:1", "sha256:4", "overlayfs")] };
        var creating = ContainerState.Empty.Apply(new ContainerCreateRequested(plan, Now));
        var view = Assert.IsType<ViewImageVolumes>(Assert.Single(creating.Decide(new SnapshotMounts(plan.Id, Rootfs), Now).Effects));
        var write = Assert.IsType<WriteBundle>(Assert.Single(creating.Decide(new EffectDone(view, new ImageVolumesViewed([Rootfs])), Now).Effects));
        Assert.Equal((Rootfs, Rootfs), (write.Rootfs, Assert.Single(write.ImageVolumes)));
        var failed = creating.Decide(new EffectFailed(view, Fault), Now);
        Assert.Equal(Fault, Assert.IsType<Rejected>(Assert.Single(failed.Answers).Reply).Fault);

        var removing = creating.Apply(new ContainerCreateFailed(Fault, Now));
        var release = Assert.IsType<ReleaseImageVolumes>(Assert.Single(removing.Decide(new EffectDone(new DestroyTask(plan), null), Now).Effects));
        Assert.IsType<ReleaseRootfs>(Assert.Single(removing.Decide(new EffectDone(release, null), Now).Effects));
        Assert.IsType<AwaitRetry>(Assert.Single(removing.Decide(new EffectFailed(release, Fault), Now).Effects));
    }

    [Fact]
    public void Image_volumes_of_a_pod_outlive_its_containers()
    {
        var plan = Plan with { ImageVolumes = [new ImageVolume("data:1", "sha256:4", "overlayfs")], PodVolumes = true };
        var removing = ContainerState.Empty.Apply(new ContainerCreateRequested(plan, Now)).Apply(new ContainerCreateFailed(Fault, Now));

        Assert.IsType<ReleaseRootfs>(Assert.Single(removing.Decide(new EffectDone(new DestroyTask(plan), null), Now).Effects));
        var sibling = plan with { Id = new string('b', 64), ImageVolumes = [new ImageVolume("other-name:1", "sha256:4", "overlayfs")] };
        Assert.Equal(plan.KeyOf(plan.ImageVolumes[0]), sibling.KeyOf(sibling.ImageVolumes[0]));
        Assert.NotEqual(plan.KeyOf(plan.ImageVolumes[0]), (plan with { SandboxId = "other" }).KeyOf(plan.ImageVolumes[0]));
    }

    [Fact]
    public void A_retry_of_a_create_joins_it_and_one_after_it_gets_the_container()
    {
        var create = new CreateContainer(Space, "other", Plan.SandboxId, Plan.Config);
        Assert.Equal(ContainerState.CreateJoin, Creating.Decide(create, Now).Join);
        Assert.Equal(new ContainerCreated(Plan.Id), Created.Decide(create, Now).Reply);
        Assert.Equal(FaultKind.AlreadyExists, Assert.IsType<Rejected>(Running.Decide(create, Now).Reply).Fault.Kind);
    }

    [Fact]
    public void A_root_file_system_that_is_there_already_is_found() => Assert.IsType<FindRootfs>(Assert.Single(
        Creating.Decide(new Rejected(FaultKind.AlreadyExists, "snapshot.exists", ""), Now).Effects));

    [Fact]
    public void A_create_that_fails_is_undone_and_answered()
    {
        var failed = Creating.Decide(new EffectFailed(new WriteBundle(Plan, Rootfs), Fault), Now);
        Assert.Equal(new Rejected(Fault), Assert.Single(failed.Answers).Reply);
        Assert.IsType<DestroyTask>(Assert.Single(failed.Effects));
        Assert.Equal(ContainerPhase.Removing, Creating.Apply(Assert.Single(failed.Events)).View!.Phase);
    }

    [Fact]
    public void A_start_that_fails_leaves_code_128_and_StartError()
    {
        var decision = Starting.Decide(new EffectFailed(new RunTask(Plan, Rootfs), Fault), Now);
        var view = Starting.Apply(Assert.Single(decision.Events)).View!;
        Assert.Equal((ContainerPhase.Exited, 128, "StartError", "broken"), (view.Phase, view.ExitCode, view.Reason, view.Message));
        Assert.Contains(decision.Answers, answer => answer.Reply is Rejected);
    }

    [Theory]
    [InlineData(0, false, "", "Completed")]
    [InlineData(1, false, "", "Error")]
    [InlineData(137, false, "", "Error")]
    [InlineData(137, true, "", "OOMKilled")]
    [InlineData(255, false, "the shim died", "Unknown")]
    public void An_exit_has_a_reason_and_is_stored_before_the_shim_forgets_it(int code, bool oom, string cause, string reason)
    {
        var decision = Running.Decide(new EffectDone(new WatchTask(Plan), new TaskExit(code, Now, oom, cause)), Now);
        Assert.Equal(new ContainerExited(code, reason, cause, Now), Assert.Single(decision.Events));
        Assert.IsType<DeleteTask>(Assert.Single(decision.Effects));
    }

    [Fact]
    public void A_stop_sends_the_signal_once_and_kills_when_the_shortest_grace_is_over()
    {
        var first = Running.Decide(Stop(30), Now);
        Assert.Equal([new SignalTask(Plan, "SIGQUIT"), new AwaitGrace(Now.AddSeconds(30))], first.Effects);
        var stopping = Running.Apply(Assert.Single(first.Events));
        var longer = stopping.Decide(Stop(60), Now);
        Assert.Empty(longer.Events);
        Assert.Empty(longer.Effects);
        var shorter = stopping.Decide(Stop(5), Now);
        Assert.Equal(new AwaitGrace(Now.AddSeconds(5)), Assert.Single(shorter.Effects));
        var shortened = stopping.Apply(Assert.Single(shorter.Events));
        Assert.Empty(shortened.Decide(new EffectDone(new AwaitGrace(Now.AddSeconds(30)), null), Now).Effects);
        Assert.Equal(new KillTask(Plan), Assert.Single(shortened.Decide(new EffectDone(new AwaitGrace(Now.AddSeconds(5)), null), Now).Effects));
    }

    [Fact]
    public void A_stop_without_grace_kills_at_once_and_so_does_a_stop_after_its_grace()
    {
        var killing = Running.Decide(Stop(0), Now);
        Assert.Equal(new KillTask(Plan), Assert.Single(killing.Effects));
        var again = Running.Apply(Assert.Single(killing.Events)).Decide(Stop(10), Now.AddMinutes(1));
        Assert.Equal(new KillTask(Plan), Assert.Single(again.Effects));
        Assert.Empty(again.Events);
    }

    [Fact]
    public void A_grace_beyond_all_calendars_is_cut() =>
        Assert.IsType<AwaitGrace>(Running.Decide(new StopContainer(Space, Plan.Id, TimeSpan.MaxValue), Now).Effects[1]);

    [Fact]
    public void A_stop_during_the_start_is_carried_out_when_it_has_started()
    {
        var stopping = Starting.Apply(Assert.Single(Starting.Decide(Stop(30), Now).Events));
        var started = stopping.Decide(new EffectDone(new RunTask(Plan, Rootfs), new TaskStarted(7, Now)), Now);
        Assert.Equal([new WatchTask(Plan), new SignalTask(Plan, "SIGQUIT"), new AwaitGrace(Now.AddSeconds(30))], started.Effects);
    }

    [Fact]
    public void A_container_whose_truth_is_not_known_can_be_stopped()
    {
        Assert.Equal(new DeleteTask(Plan), Assert.Single(Lost.Decide(Stop(0), Now).Effects));
        var gone = Lost.Decide(new EffectDone(new DeleteTask(Plan), null), Now);
        Assert.Equal((255, "Unknown"), (Assert.IsType<ContainerExited>(Assert.Single(gone.Events)).ExitCode, ((ContainerExited)gone.Events[0]).Reason));
        Assert.IsType<ContainerStopped>(Assert.Single(gone.Answers).Reply);
    }

    [Fact]
    public void A_removal_kills_what_runs_and_tells_of_its_end()
    {
        var removal = Running.Decide(new RemoveContainer(Space, Plan.Id), Now);
        Assert.IsType<DestroyTask>(Assert.Single(removal.Effects));
        var removing = Running.Apply(Assert.Single(removal.Events));
        var destroyed = removing.Decide(new EffectDone(new DestroyTask(Plan), new TaskExit(137, Now, false, "")), Now);
        Assert.Equal(new ContainerExited(137, "Error", "", Now), Assert.Single(destroyed.Events));
        Assert.IsType<ReleaseRootfs>(Assert.Single(destroyed.Effects));
        Assert.Equal(ContainerPhase.Removing, removing.Apply(destroyed.Events[0]).View!.Phase);
    }

    [Fact]
    public void A_removal_ends_with_its_root_file_system_also_if_that_was_gone()
    {
        foreach (object gone in new object[] { new SnapshotRemoved(Plan.Id), new Rejected(FaultKind.NotFound, "snapshot.not-found", "") })
        {
            var removed = Removing.Decide(gone, Now);
            Assert.True(Removing.Apply(Assert.Single(removed.Events)).Ended);
            Assert.Equal(new ContainerRemoved(Plan.Id), Assert.Single(removed.Answers).Reply);
        }
    }

    [Fact]
    public void A_removal_that_fails_is_answered_and_tried_again()
    {
        var failed = Removing.Decide(new EffectFailed(new DestroyTask(Plan), Fault), Now);
        Assert.Equal(new Rejected(Fault), Assert.Single(failed.Answers).Reply);
        Assert.IsType<AwaitRetry>(Assert.Single(failed.Effects));
        Assert.IsType<DestroyTask>(Assert.Single(Removing.Decide(new EffectDone(new AwaitRetry(), null), Now).Effects));
    }

    [Fact]
    public void A_checkpoint_answers_who_asked_for_it_and_changes_nothing()
    {
        var task = Assert.IsType<CheckpointTask>(Assert.Single(Running.Decide(CommandOf("checkpoint"), Now).Effects));
        var done = Running.Decide(new EffectDone(task, null), Now);
        var failed = Running.Decide(new EffectFailed(task, Fault), Now);

        Assert.Equal(("/tmp/c.tar", Rootfs), (task.Location, task.Rootfs));
        Assert.Equal(new Answer("c1", new ContainerCheckpointed(Plan.Id)), Assert.Single(done.Answers));
        Assert.Equal(new Answer("c1", new Rejected(Fault)), Assert.Single(failed.Answers));
        Assert.Empty(done.Events.Concat(failed.Events));
    }

    public static TheoryData<string, string, bool> Refusals => new()
    {
        { "start", nameof(Starting), true },
        { "start", nameof(Running), false },
        { "start", nameof(Exited), false },
        { "start", nameof(Removing), false },
        { "remove", nameof(Creating), false },
        { "remove", nameof(Starting), false },
        { "exec", nameof(Created), false },
        { "exec", nameof(Exited), false },
        { "exec", nameof(Running), true },
        { "checkpoint", nameof(Created), false },
        { "checkpoint", nameof(Exited), false },
        { "checkpoint", nameof(Removing), false },
        { "checkpoint", nameof(Running), true },
        { "reopen", nameof(Created), false },
        { "reopen", nameof(Exited), false },
        { "reopen", nameof(Running), true },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Commands_wait_where_they_make_sense_and_are_refused_elsewhere(string command, string phase, bool waits)
    {
        var decision = StateOf(phase).Decide(CommandOf(command), Now);
        if (waits) Assert.NotNull(decision.Join);
        else Assert.Equal(FaultKind.FailedPrecondition, Assert.IsType<Rejected>(decision.Reply).Fault.Kind);
    }

    [Theory]
    [InlineData(nameof(Creating))]
    [InlineData(nameof(Created))]
    [InlineData(nameof(Exited))]
    [InlineData(nameof(Removing))]
    public void Stopping_what_does_not_run_succeeds(string phase) =>
        Assert.IsType<ContainerStopped>(StateOf(phase).Decide(Stop(1), Now).Reply);

    [Fact]
    public void Recovery_goes_on_where_each_step_ended()
    {
        Assert.IsType<PrepareRootfs>(Assert.Single(Creating.Unfinished()));
        Assert.Empty(Created.Unfinished());
        Assert.Equal(new RunTask(Plan, Rootfs), Assert.Single(Starting.Unfinished()));
        Assert.IsType<WatchTask>(Assert.Single(Running.Unfinished()));
        Assert.Equal(3, Running.Apply(new ContainerStopRequested("SIGTERM", Now, Now)).Unfinished().Length);
        Assert.IsType<DeleteTask>(Assert.Single(Exited.Unfinished()));
        Assert.IsType<DestroyTask>(Assert.Single(Removing.Unfinished()));
        Assert.IsType<WatchTask>(Assert.Single(Lost.Unfinished()));
    }

    [Theory]
    [InlineData(nameof(Created), false)]
    [InlineData(nameof(Running), true)]
    public void An_update_is_recorded_once_it_has_taken_place_and_keeps_what_it_does_not_set(string phase, bool isLive)
    {
        var before = StateOf(phase).Apply(new ContainerResourcesUpdated(new ContainerResources { CpuShares = 2, MemoryLimit = 4, MemorySwapLimit = 5 }, Now));
        var asked = before.Decide(new UpdateContainer(Space, Plan.Id, "u1", new ContainerResources { MemoryLimit = 8 }), Now);
        Assert.Empty(asked.Events);
        Assert.Equal("u1", asked.Join);
        var effect = Assert.IsType<UpdateTask>(Assert.Single(asked.Effects));
        Assert.Equal(isLive, effect.IsLive);
        var done = before.Decide(new EffectDone(effect, null), Now);
        Assert.Equal(new ContainerUpdated(Plan.Id), Assert.Single(done.Answers).Reply);
        var after = before.Apply(Assert.Single(done.Events));
        Assert.Equal(new ContainerResources { CpuShares = 2, MemoryLimit = 8, MemorySwapLimit = 8 }, after.View!.Config.Resources);
        Assert.Equal(new Rejected(Fault), Assert.Single(before.Decide(new EffectFailed(effect, Fault), Now).Answers).Reply);
    }

    [Fact]
    public void An_update_that_a_start_overtook_is_done_again_on_the_live_container()
    {
        var effect = new UpdateTask(Plan, "u1", new ContainerResources { CpuShares = 9 }, IsLive: false);
        var again = Starting.Decide(new EffectDone(effect, null), Now);
        Assert.Empty(again.Events);
        Assert.Equal(effect with { IsLive = true }, Assert.Single(again.Effects));
    }

    [Theory]
    [InlineData(nameof(Creating))]
    [InlineData(nameof(Starting))]
    [InlineData(nameof(Exited))]
    [InlineData(nameof(Removing))]
    public void Limits_and_streams_are_refused_in_every_other_phase(string phase)
    {
        IContainerCommand[] commands =
        [
            new UpdateContainer(Space, Plan.Id, "u1", new ContainerResources()),
            new OpenExec(Space, Plan.Id, "e1", ["true"], false, true, true, false),
            new OpenAttach(Space, Plan.Id, "a1", false, true, true, false),
        ];
        Assert.All(commands, command =>
            Assert.Equal(FaultKind.FailedPrecondition, Assert.IsType<Rejected>(StateOf(phase).Decide(command, Now).Reply).Fault.Kind));
    }

    [Fact]
    public void A_late_outcome_changes_nothing()
    {
        Assert.Equal(Decision.Nothing, Exited.Decide(new EffectDone(new WatchTask(Plan), new TaskExit(1, Now, false, "")), Now));
        Assert.Equal(Decision.Nothing, Removing.Decide(new EffectFailed(new KillTask(Plan), Fault), Now));
    }

    [Fact]
    public void Every_event_is_read_as_it_was_written()
    {
        IDomainEvent[] events =
        [
            new ContainerCreateRequested(Plan with { Config = FullConfig }, Now), new ContainerCreateCompleted(new ContainerUser(1, 2, [2, 3]), Rootfs, Now),
            new ContainerCreateFailed(Fault, Now), new ContainerStartRequested(Now), new ContainerStartCompleted(7, Now),
            new ContainerStopRequested("SIGTERM", Now, Now),
            new ContainerResourcesUpdated(FullConfig.Resources!, Now), new ContainerExited(1, "Error", "m", Now), new ContainerLost("m", Now),
            new ContainerRemoveRequested(Now), new ContainerRemoveCompleted(Now),
        ];
        Assert.Equal(ContainerJournal.Types.Select(type => type.Type), events.Select(one => one.GetType()));
        foreach (var (one, type) in events.Zip(ContainerJournal.Types))
        {
            var json = JsonSerializer.Serialize(one, type.Json);
            Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type.Json), type.Json));
        }
    }

    private static ContainerConfig FullConfig => Plan.Config with
    {
        Command = ["a"],
        Environment = [new("K", "V")],
        Mounts = [new ContainerMount { ContainerPath = "/c", HostPath = "/h", Propagation = MountPropagation.Bidirectional }],
        Devices = [new ContainerDevice("/dev/a", "/dev/b", "rw")],
        Resources = new ContainerResources { MemoryLimit = 1, HugepageLimits = ImmutableSortedDictionary<string, ulong>.Empty.Add("2MB", 1) },
    };

    private static StopContainer Stop(int seconds) => new(Space, Plan.Id, TimeSpan.FromSeconds(seconds));

    private static ContainerState StateOf(string phase) => phase switch
    {
        nameof(Creating) => Creating,
        nameof(Created) => Created,
        nameof(Starting) => Starting,
        nameof(Running) => Running,
        nameof(Exited) => Exited,
        _ => Removing,
    };

    private static IContainerCommand CommandOf(string name) => name switch
    {
        "start" => new StartContainer(Space, Plan.Id),
        "remove" => new RemoveContainer(Space, Plan.Id),
        "exec" => new ExecSync(Space, Plan.Id, "e1", ["true"], TimeSpan.Zero),
        "checkpoint" => new CheckpointContainer(Space, Plan.Id, "c1", "/tmp/c.tar", "{}"u8.ToArray()),
        _ => new ReopenLog(Space, Plan.Id),
    };
}
