using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;

namespace Runtime.Actors.Containers;

/// <summary>A create request that the manager has accepted, with what it means on this node.</summary>
internal sealed record AdmittedContainer(ContainerPlan Plan) : IContainerCommand
{
    public NamespaceName Space => Plan.Space;

    public string EntityId => Plan.Id;
}

/// <summary>A create request that the manager has refused: it leaves no trace.</summary>
internal sealed record RefusedContainer(NamespaceName Space, string EntityId, RuntimeFault Fault) : IContainerCommand;

/// <summary>Whether a container can be created, as far as that is known without touching the machine.</summary>
internal static class ContainerAdmission
{
    public static IContainerCommand Admit(CreateContainer create, ContainerSlice slice)
    {
        try
        {
            return new AdmittedContainer(PlanOf(create, slice));
        }
        catch (FaultException refused)
        {
            return new RefusedContainer(create.Space, create.EntityId, refused.Fault);
        }
    }

    /// <exception cref="FaultException">It cannot be created.</exception>
    public static SandboxView ReadySandbox(ReadModel<SandboxView> sandboxes, NamespaceName space, string id)
    {
        var sandbox = sandboxes.Find(space, id)
            ?? throw new FaultException(FaultKind.NotFound, "container.no-sandbox", $"There is no sandbox {id}.");
        return sandbox.Phase == SandboxPhase.Ready
            ? sandbox
            : throw new FaultException(FaultKind.FailedPrecondition, "container.sandbox-not-ready", $"Sandbox {id} is {sandbox.Phase}, not Ready.");
    }

    /// <summary>First process of the container whose pid namespace is joined; 0 where none is asked for.</summary>
    /// <exception cref="FaultException">The target does not run, or is of another pod.</exception>
    public static uint TargetPid(ContainerPlan plan, ReadModel<ContainerView> containers)
    {
        if (plan.Config.Security.Pid != NamespaceMode.Target) return 0;
        var target = containers.Find(plan.Space, plan.Config.Security.TargetId);
        if (target is null || target.SandboxId != plan.SandboxId)
            throw new FaultException(FaultKind.InvalidArgument, "container.no-target",
                $"Container {plan.Config.Name}: sandbox {plan.SandboxId} has no container {plan.Config.Security.TargetId} to join.");
        return target.Phase == ContainerPhase.Running
            ? target.Pid
            : throw new FaultException(FaultKind.FailedPrecondition, "container.target-not-running",
                $"Container {plan.Config.Name}: its target {target.Id} is {target.Phase}, not Running.");
    }

    private static ContainerPlan PlanOf(CreateContainer create, ContainerSlice slice)
    {
        var config = create.Config;
        Check(config);
        if (!config.CdiDevices.IsEmpty && slice.Options.CdiSpecDirs.IsEmpty)
            throw new FaultException(FaultKind.FailedPrecondition, "container.no-cdi",
                $"Container {config.Name}: CDI devices {string.Join(", ", config.CdiDevices)} are asked for, but enable_cdi is false.");
        var sandbox = ReadySandbox(slice.Sandboxes, create.Space, create.SandboxId);
        ResourceClasses.Check(config, sandbox, slice.Options.Policy);
        PodUsers.Check(config, sandbox, slice.Options.Features.FeaturesOf(sandbox.RuntimeHandler).UserNamespaces);
        if (config.Security.Privileged && !sandbox.Config.Security.Privileged)
            throw Refuse("container.privilege", $"Container {config.Name} is privileged, but sandbox {sandbox.Id} is not.");
        var image = slice.Ports.Images.Find(create.Space, config.Image)
            ?? throw new FaultException(FaultKind.NotFound, "container.image-not-found", $"Image \"{config.Image}\" is not found.");
        var plan = new ContainerPlan
        {
            Space = create.Space,
            Id = create.EntityId,
            SandboxId = sandbox.Id,
            Config = config,
            ImageId = image.Id,
            ImageRef = image.RepoDigests.FirstOrDefault(image.Id),
            ImageName = config.UserSpecifiedImage is { Length: > 0 } written ? written : image.RepoTags.FirstOrDefault(image.Id),
            ChainId = image.ChainId,
            Snapshotter = image.Snapshotter,
            Image = image.Defaults,
            RuntimeHandler = slice.Options.Handlers.Resolve(sandbox.RuntimeHandler).Name,
            LogPath = config.LogPath.Length > 0 && sandbox.Config.LogDirectory.Length > 0
                ? Path.GetFullPath(Path.Combine(sandbox.Config.LogDirectory, config.LogPath))
                : "",
            StopSignal = StopSignal.Effective(config.StopSignal, image.Defaults.StopSignal),
        };
        TargetPid(plan, slice.Views);
        return plan with { ImageVolumes = ImageVolumes.Of(config, create.Space, slice.Ports.Images), PodVolumes = true };
    }

    private static void Check(ContainerConfig config)
    {
        if (config.Name.Length == 0) throw Refuse("container.no-name", "A container needs a name.");
        if (config.StopSignal.Length > 0) StopSignal.Parse(config.StopSignal);
        if (config.Security.RunAsGroup is not null && config.Security.RunAsUser is null && config.Security.RunAsUserName.Length == 0)
            throw Refuse("container.group-without-user", $"Container {config.Name}: a group is given without a user.");
        SelinuxLevel.Check(config.Security.Selinux?.Level ?? "");
        foreach (var mount in config.Mounts) Check(config, mount);
    }

    private static void Check(ContainerConfig config, ContainerMount mount)
    {
        if (mount.ContainerPath.Length == 0)
            throw Refuse("container.invalid-mount", $"Container {config.Name}: the mount of \"{mount.HostPath}\" has no place in the container.");
        if (ContainerSpecBuilder.Clean(mount.ContainerPath) == "/")
            throw Refuse("container.invalid-mount", $"Container {config.Name}: the mount at \"{mount.ContainerPath}\" would hide the root file system.");
        if (mount.Image.Length > 0)
        {
            if (mount.Propagation != MountPropagation.Private)
                throw Refuse("container.invalid-mount", $"Container {config.Name}: the image at {mount.ContainerPath} must have private propagation.");
            return;
        }
        if (!mount.HostPath.StartsWith('/'))
            throw Refuse("container.invalid-mount", $"Container {config.Name}: the host path \"{mount.HostPath}\" of {mount.ContainerPath} is not absolute.");
    }

    private static FaultException Refuse(string code, string message) => new(FaultKind.InvalidArgument, code, message);
}
