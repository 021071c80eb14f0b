using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Tasks;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>Runs the effects of a namespace's containers that are not a message to another actor.</summary>
internal sealed class ContainerSteps(ContainerSlice slice)
{
    private readonly ContainerOptions _options = slice.Options;
    private readonly SpecInspector _inspector = new(slice.Options);
    private readonly TaskRunner _tasks = new(slice.Ports.Shims, slice.Options.Tasks, slice.Clock);
    private readonly ResourceUpdates _updates = new(slice.Ports.Shims, slice.Options.Host);
    private readonly Checkpoints _checkpoints = new(slice.Ports.Shims, slice.Options.Directories, slice.Clock);

    public async Task<object?> RunAsync(IEffect effect, CancellationToken stopping) => effect switch
    {
        WriteBundle write => Write(write),
        RunTask run => await StartAsync(run.Plan, run.Rootfs, stopping),
        WatchTask watch => await WatchAsync(watch.Plan, stopping),
        SignalTask signal => await DoneAsync(_tasks.SignalAsync(AddressOf(signal.Plan), StopSignal.Parse(signal.Signal), stopping)),
        KillTask kill => await DoneAsync(_tasks.KillAsync(AddressOf(kill.Plan), stopping)),
        DeleteTask delete => await _tasks.EndAsync(AddressOf(delete.Plan), stopping),
        DestroyTask destroy => await DestroyAsync(destroy.Plan, stopping),
        AwaitGrace grace => await PassAsync(grace.KillAt - slice.Clock.GetUtcNow(), stopping),
        AwaitRetry => await PassAsync(_options.RetryPause, stopping),
        ExecTask exec => await _tasks.ExecAsync(new TaskExec(AddressOf(exec.Plan), exec.ExecId, exec.Command, exec.Timeout), stopping),
        UpdateTask update => await DoneAsync(_updates.UpdateAsync(
            AddressOf(update.Plan), ConfigOf(update.Plan), update.Resources, update.IsLive, stopping)),
        OpenExecSession exec => await _tasks.OpenExecAsync(
            new TaskExec(AddressOf(exec.Plan), exec.ExecId, exec.Command, TimeSpan.Zero), exec.Streams, stopping),
        OpenAttachSession attach => await _tasks.OpenAttachAsync(AttachOf(attach.Plan, attach.Streams), stopping),
        CheckpointTask checkpoint => await DoneAsync(CheckpointAsync(checkpoint, stopping)),
        ReopenTaskLog reopen => await DoneAsync(_tasks.ReopenLogAsync(AddressOf(reopen.Plan), stopping)),
        _ => throw new FaultException(FaultKind.Internal, "container.unknown-effect", $"A container cannot run {effect.GetType().Name}."),
    };

    /// <summary>1. reads what the spec depends on, 2. builds it, 3. writes it.</summary>
    private BundleOutcome Write(WriteBundle write)
    {
        var (plan, rootfs) = (write.Plan, write.Rootfs);
        var sandbox = ContainerAdmission.ReadySandbox(slice.Sandboxes, plan.Space, plan.SandboxId);
        var handler = _options.Handlers.Resolve(plan.RuntimeHandler);
        var bundle = BundleOf(plan);
        DurableFiles.MakePrivateDirectory(bundle);
        Directory.CreateDirectory(Path.Combine(bundle, "rootfs"));
        MappedRootfs.Admit(bundle, _options.Directories, sandbox);
        var images = ImageVolumes.Mount(plan, bundle, sandbox, write.ImageVolumes, _options.Directories);
        var facts = _inspector.Inspect(plan, sandbox, handler, rootfs, images, ContainerAdmission.TargetPid(plan, slice.Views));
        var spec = ContainerSpecBuilder.Build(new SpecRequest
        {
            Id = plan.Id,
            Space = plan.Space.Value,
            Config = plan.Config with { Security = _options.Complete(plan.Config.Security) },
            Sandbox = sandbox,
            Image = plan.Image,
            ImageName = plan.ImageName,
            Handler = handler,
            Features = _options.Features.FeaturesOf(handler.Name),
            Layout = _options.Directories,
            Host = HostProbe.WithApparmorProfiles(_options.Host),
            Facts = facts,
        });
        foreach (var (mount, source) in plan.Config.Mounts.Zip(facts.Mounts))
            if (mount is { SelinuxRelabel: true, Image.Length: 0 } && spec.Linux?.MountLabel is { } label) SelinuxRelabel.Apply(source.Path, label);
        File.WriteAllBytes(ConfigOf(plan), OciSpecJson.Write(spec));
        return new BundleOutcome(facts.User, rootfs);
    }

    private async Task<object?> StartAsync(ContainerPlan plan, ImmutableArray<MountSpec> rootfs, CancellationToken cancellation)
    {
        var sandbox = ContainerAdmission.ReadySandbox(slice.Sandboxes, plan.Space, plan.SandboxId);
        var target = ContainerAdmission.TargetPid(plan, slice.Views);
        // The namespace to join is in the spec by its process: one that restarted since has another.
        if (target != 0 && !(await File.ReadAllTextAsync(ConfigOf(plan), cancellation)).Contains($"/proc/{target}/ns/pid", StringComparison.Ordinal))
            throw new FaultException(FaultKind.FailedPrecondition, "container.target-restarted",
                $"Container {plan.Id}: its target {plan.Config.Security.TargetId} has restarted since it was created.");
        var start = new TaskStart(
            AddressOf(plan), _options.Handlers.Resolve(plan.RuntimeHandler), MappedRootfs.Of(rootfs, sandbox), plan.LogPath, plan.Config.Tty, plan.Config.Stdin);
        return await _tasks.RunAsync(start, cancellation);
    }

    private async Task<TaskExit> WatchAsync(ContainerPlan plan, CancellationToken stopping)
    {
        await _checkpoints.AbandonAsync(plan, AddressOf(plan), stopping);
        return await _tasks.WatchAsync(AddressOf(plan), stopping);
    }

    private Task CheckpointAsync(CheckpointTask checkpoint, CancellationToken stopping)
    {
        var plan = checkpoint.Plan;
        var view = slice.Views.Find(plan.Space, plan.Id)
            ?? throw new FaultException(FaultKind.NotFound, "container.not-found", $"There is no container {plan.Id}.");
        var criu = _options.Handlers.Resolve(plan.RuntimeHandler).Options.CriuPath;
        return _checkpoints.WriteAsync(checkpoint, AddressOf(plan), view, criu, stopping);
    }

    private TaskAttach AttachOf(ContainerPlan plan, SessionStreams streams) => new(
        AddressOf(plan), streams, plan.Config.StdinOnce,
        () => slice.Views.Find(plan.Space, plan.Id) is { FinishedAt: not null } ended ? ended.ExitCode : null);

    private async Task<object?> DestroyAsync(ContainerPlan plan, CancellationToken cancellation)
    {
        var exit = await _tasks.DestroyAsync(AddressOf(plan), cancellation);
        DirectoryTree.Delete(_options.Directories.Container(plan.Id));
        return exit;
    }

    private async Task<object?> PassAsync(TimeSpan time, CancellationToken stopping)
    {
        if (time > TimeSpan.Zero) await Task.Delay(time, slice.Clock, stopping);
        return null;
    }

    private static async Task<object?> DoneAsync(Task step)
    {
        await step;
        return null;
    }

    private string BundleOf(ContainerPlan plan) => _options.Directories.Bundle(plan.Space.Value, plan.Id);

    private string ConfigOf(ContainerPlan plan) => Path.Combine(BundleOf(plan), "config.json");

    private TaskAddress AddressOf(ContainerPlan plan) => new(
        plan.Space, plan.Id, plan.SandboxId, BundleOf(plan), plan.Config.Security.Pid != Sandboxes.NamespaceMode.Container);
}
