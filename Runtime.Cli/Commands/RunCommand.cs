using System.CommandLine;
using Runtime.Cri.V1;

namespace Runtime.Cli.Commands;

/// <summary><c>actr run IMAGE [COMMAND...]</c>: a container in a pod of its own, or in one that runs.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> Image = new("IMAGE");
    private static readonly Argument<string[]> Words = new("COMMAND") { Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Pod = new("--pod") { Description = "Id of a pod that runs; a new one when not given." };
    private static readonly Option<string?> ContainerName = new("--container-name") { Description = "Name of the container (default: main)." };
    private static readonly Option<bool> Detach = new("--detach", "-d") { Description = "Print the container's id and leave it running." };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Do not remove container and pod when the command has ended." };
    private static readonly Option<string[]> Environment = new("--env", "-e") { Description = "KEY=VALUE" };
    private static readonly Option<string[]> Volumes = new("--volume", "-v") { Description = "HOST:CONTAINER[:ro]" };
    private static readonly Option<string?> WorkingDirectory = new("--workdir", "-w");
    private static readonly Option<long?> User = new("--user", "-u") { Description = "Numeric user id." };
    private static readonly Option<long> Memory = new("--memory") { Description = "Bytes." };
    private static readonly Option<bool> Privileged = new("--privileged");
    private static readonly Option<bool> Interactive = new("--interactive", "-i") { Description = "Pass standard input on." };
    private static readonly Option<bool> Tty = new("--tty", "-t") { Description = "Give it a terminal." };
    private static readonly Option<bool> ReadOnly = new("--read-only") { Description = "Read-only root file system." };

    private static readonly PodOptions Options = new();

    public static Command Create()
    {
        var command = new Command("run", "Runs a command of an image, and ends with its exit code.")
        {
            Image, Words, Pod, ContainerName, Detach, Keep, Environment, Volumes, WorkingDirectory, User, Memory, Privileged, ReadOnly,
            Interactive, Tty,
        };
        Options.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using var daemon = Daemon.Of(parsed);
        var image = await ResolveAsync(daemon, parsed.GetRequiredValue(Image), cancellation);
        var pod = Options.Read(parsed);
        var privileged = parsed.GetValue(Privileged);
        pod.Linux.SecurityContext.Privileged = privileged;
        var podId = parsed.GetValue(Pod);
        var ownPod = podId is null;
        if (podId is null) podId = await PodsCommand.RunAsync(daemon, pod, parsed.GetValue(Options.Handler) ?? "", cancellation);
        else pod = await ConfigOfAsync(daemon, podId, cancellation);

        string? containerId = null;
        var detached = false;
        try
        {
            var config = Describe(parsed, image, privileged);
            var create = new CreateContainerRequest { PodSandboxId = podId, Config = config, SandboxConfig = pod };
            containerId = (await daemon.Pods.CreateContainerAsync(create, daemon.Call(cancellation))).ContainerId;
            await daemon.Pods.StartContainerAsync(new StartContainerRequest { ContainerId = containerId }, daemon.Call(cancellation));
            if (parsed.GetValue(Detach))
            {
                detached = true;
                Console.WriteLine(containerId);
                return 0;
            }
            return await FollowAsync(daemon, containerId, parsed.GetValue(Interactive), parsed.GetValue(Tty), cancellation);
        }
        finally
        {
            // Also after Ctrl-C: what was made for this command goes with it.
            if (!detached && !parsed.GetValue(Keep)) await RemoveAsync(daemon, ownPod ? podId : null, containerId);
        }
    }

    // The log has everything from the first byte on, an attached terminal what comes from now on: it draws itself anew.
    private static async Task<int> FollowAsync(
        Daemon daemon, string containerId, bool interactive, bool tty, CancellationToken cancellation)
    {
        if (tty)
        {
            await AttachCommand.RunAsync(daemon, containerId, interactive, tty, withOutput: true, cancellation);
            return (await LogFollower.ExitedAsync(daemon, containerId, cancellation)).ExitCode;
        }
        if (interactive) _ = SendInputAsync(daemon, containerId, cancellation);
        return await LogFollower.FollowToExitAsync(daemon, containerId, cancellation);
    }

    private static async Task SendInputAsync(Daemon daemon, string containerId, CancellationToken cancellation)
    {
        try
        {
            await AttachCommand.RunAsync(daemon, containerId, interactive: true, tty: false, withOutput: false, cancellation);
        }
        catch (Exception refused) when (refused is Grpc.Core.RpcException or CommandException or OperationCanceledException)
        {
            if (!cancellation.IsCancellationRequested) Console.Error.WriteLine($"actr: no input: {refused.Message}");
        }
    }

    private static ContainerConfig Describe(ParseResult parsed, string image, bool privileged)
    {
        var name = parsed.GetValue(ContainerName) ?? "main";
        var config = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = name },
            Image = new ImageSpec { Image = image, UserSpecifiedImage = parsed.GetRequiredValue(Image) },
            WorkingDir = parsed.GetValue(WorkingDirectory) ?? "",
            LogPath = $"{name}.log",
            Stdin = parsed.GetValue(Interactive),
            StdinOnce = parsed.GetValue(Interactive),
            Tty = parsed.GetValue(Tty),
            Linux = new LinuxContainerConfig
            {
                Resources = new LinuxContainerResources { MemoryLimitInBytes = parsed.GetValue(Memory) },
                SecurityContext = new LinuxContainerSecurityContext
                {
                    Privileged = privileged,
                    ReadonlyRootfs = parsed.GetValue(ReadOnly),
                    NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Container },
                },
            },
        };
        config.Args.AddRange(parsed.GetValue(Words) ?? []);
        foreach (var pair in parsed.GetValue(Environment) ?? [])
            config.Envs.Add(new KeyValue { Key = PodOptions.KeyOf(pair, out var value), Value = value });
        foreach (var volume in parsed.GetValue(Volumes) ?? []) config.Mounts.Add(ParseVolume(volume));
        if (parsed.GetValue(User) is { } user) config.Linux.SecurityContext.RunAsUser = new Int64Value { Value = user };
        return config;
    }

    private static Mount ParseVolume(string text) => text.Split(':') switch
    {
        [var host, var container] => new Mount { HostPath = Path.GetFullPath(host), ContainerPath = container },
        [var host, var container, "ro"] => new Mount { HostPath = Path.GetFullPath(host), ContainerPath = container, Readonly = true },
        _ => throw new CommandException($"\"{text}\" is not HOST:CONTAINER[:ro]"),
    };

    // An image that is not there is pulled first, as people expect of a run command.
    private static async Task<string> ResolveAsync(Daemon daemon, string image, CancellationToken cancellation)
    {
        var spec = new ImageSpec { Image = image };
        var status = await daemon.CriImages.ImageStatusAsync(new ImageStatusRequest { Image = spec }, daemon.Call(cancellation));
        if (status.Image is { } found) return found.Id;
        Console.Error.WriteLine($"{image} is not here; pulling it");
        return (await daemon.CriImages.PullImageAsync(new PullImageRequest { Image = spec }, daemon.Call(cancellation))).ImageRef;
    }

    private static async Task<PodSandboxConfig> ConfigOfAsync(Daemon daemon, string podId, CancellationToken cancellation)
    {
        var reply = await daemon.Pods.PodSandboxStatusAsync(
            new PodSandboxStatusRequest { PodSandboxId = podId }, daemon.Call(cancellation));
        return new PodSandboxConfig { Metadata = reply.Status.Metadata };
    }

    private static async Task RemoveAsync(Daemon daemon, string? podId, string? containerId)
    {
        var call = daemon.Call(CancellationToken.None);
        if (containerId is not null)
            await daemon.Pods.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = containerId }, call);
        if (podId is null) return;
        await daemon.Pods.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = podId }, call);
        await daemon.Pods.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = podId }, call);
    }
}
