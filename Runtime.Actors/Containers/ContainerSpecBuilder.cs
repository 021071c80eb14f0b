using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;

namespace Runtime.Actors.Containers;

/// <summary>
/// Makes a container's OCI spec from what CRI asked for. Pure: files, devices and users were read before
/// (<see cref="SpecInspector"/>), so that the same request gives the same spec.
/// </summary>
public static partial class ContainerSpecBuilder
{
    /// <summary>Nothing newer than runtime spec 1.0.2 is used, so that every runtime of the last years takes it.</summary>
    public const string OciVersion = "1.0.2";

    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <exception cref="FaultException">InvalidArgument or FailedPrecondition: the config cannot be served.</exception>
    public static OciSpec Build(SpecRequest request)
    {
        var start = request.Facts.Base ?? new OciSpec();
        var mounts = MountsOf(request, out var rootfsPropagation);
        return WithCdi(WithSelinux(start with
        {
            OciVersion = start.OciVersion ?? OciVersion,
            Process = ProcessOf(request, start.Process ?? new OciProcess()),
            Root = new OciRoot("rootfs", request.Config.Security.ReadonlyRootfs ? true : null),
            Mounts = mounts,
            Annotations = AnnotationsOf(request, start.Annotations),
            Linux = WithUserNamespace(LinuxOf(request, start.Linux ?? new OciLinux(), rootfsPropagation), request.Sandbox),
        }, request), request.Facts.Cdi);
    }

    private static OciProcess ProcessOf(SpecRequest request, OciProcess start)
    {
        var (config, security, user) = (request.Config, request.Config.Security, request.Facts.User);
        return start with
        {
            Terminal = config.Tty ? true : null,
            User = new OciUser((uint)user.Uid, (uint)user.Gid, [.. user.Groups.Select(gid => (uint)gid)]),
            Args = ArgsOf(request),
            Env = EnvironmentOf(request, start.Env),
            Cwd = Path.Combine("/", config.WorkingDirectory is { Length: > 0 } asked ? asked : request.Image.WorkingDirectory),
            Capabilities = CapabilitiesOf(security, request.Host),
            NoNewPrivileges = security.NoNewPrivileges ? true : null,
            ApparmorProfile = ApparmorOf(request),
            OomScoreAdj = OomScoreOf(config.Resources, request.Host),
        };
    }

    /// <summary>CRI's rule: a command drops the image's entrypoint and command, arguments alone only its command.</summary>
    private static ImmutableArray<string> ArgsOf(SpecRequest request)
    {
        var (config, image) = (request.Config, request.Image);
        ImmutableArray<string> args = config.Command.Length > 0 ? [.. config.Command, .. config.Args]
            : config.Args.Length > 0 ? [.. image.Entrypoint, .. config.Args]
            : [.. image.Entrypoint, .. image.Command];
        return args.Length > 0 && args[0].Length > 0 ? args
            : throw Refuse("container.no-command", $"Container {config.Name}: no command specified, neither in the request nor in its image.");
    }

    // Later ones win: defaults, base spec, image, request.
    private static List<string> EnvironmentOf(SpecRequest request, IReadOnlyList<string>? start)
    {
        var hostname = request.Sandbox.Config.Hostname is { Length: > 0 } asked ? asked : request.Sandbox.Hostname;
        var environment = new List<string>();
        var places = new Dictionary<string, int>();
        Set(DefaultPath);
        if (request.Config.Tty) Set("TERM=xterm");
        if (hostname.Length > 0) Set($"HOSTNAME={hostname}");
        foreach (var entry in start ?? []) Set(entry);
        foreach (var entry in request.Image.Environment) Set(entry);
        foreach (var (key, value) in request.Config.Environment) Set($"{key}={value}");
        return environment;

        void Set(string entry)
        {
            var key = entry.IndexOf('=') is >= 0 and var end ? entry[..end] : entry;
            if (key.Length == 0 || entry.Contains('\0'))
                throw Refuse("container.invalid-environment", $"Container {request.Config.Name}: environment entry \"{key}\" has no name or holds a NUL.");
            if (places.TryGetValue(key, out var place))
            {
                environment[place] = entry;
                return;
            }
            places[key] = environment.Count;
            environment.Add(entry);
        }
    }

    private static OciLinux LinuxOf(SpecRequest request, OciLinux start, string? rootfsPropagation)
    {
        var security = request.Config.Security;
        return start with
        {
            Resources = ResourcesOf(request, start.Resources ?? new OciResources()),
            CgroupsPath = CgroupsPathOf(
                request.Sandbox.Config.CgroupParent, request.Handler.Options.SystemdCgroup, request.Space, request.Id),
            Namespaces = NamespacesOf(request),
            Devices = request.Facts.Devices.IsEmpty ? start.Devices : [.. start.Devices ?? [], .. request.Facts.Devices.Select(NodeOf)],
            Seccomp = SeccompOf(request),
            RootfsPropagation = rootfsPropagation ?? start.RootfsPropagation,
            MaskedPaths = security.Privileged || security.MaskedPaths.IsEmpty ? null : [.. security.MaskedPaths],
            ReadonlyPaths = security.Privileged || security.ReadonlyPaths.IsEmpty ? null : [.. security.ReadonlyPaths],
        };

        static OciDevice NodeOf(DeviceNode node) => new()
        {
            Path = node.Path,
            Type = node.Type,
            Major = node.Major,
            Minor = node.Minor,
            FileMode = node.FileMode,
            Uid = node.Uid,
            Gid = node.Gid,
        };
    }

    private static List<OciNamespace> NamespacesOf(SpecRequest request)
    {
        var (security, sandbox) = (request.Config.Security, request.Sandbox);
        var namespaces = new List<OciNamespace> { new("mount") };
        Join("network", sandbox.NetworkNamespacePath);
        Join("ipc", sandbox.IpcNamespacePath);
        Join("uts", sandbox.UtsNamespacePath);
        switch (security.Pid)
        {
            case NamespaceMode.Container:
                namespaces.Add(new OciNamespace("pid"));
                break;
            case NamespaceMode.Pod when sandbox.Config.Security.Pid == NamespaceMode.Node:
                break; // what the pod shares is the node's
            case NamespaceMode.Pod:
                // Without a shared namespace the sandbox's pid is a thread of the shim, in the host's pid namespace.
                if (sandbox.Config.Security.Pid != NamespaceMode.Pod || sandbox.Pid == 0)
                    throw Refuse("container.pid-not-shared", $"Container {request.Config.Name}: sandbox {sandbox.Id} has no shared pid namespace; it was made with pid mode {sandbox.Config.Security.Pid}.");
                Join("pid", $"/proc/{sandbox.Pid}/ns/pid");
                break;
            case NamespaceMode.Target:
                if (request.Facts.TargetPid == 0)
                    throw new FaultException(FaultKind.FailedPrecondition, "container.target-not-running",
                        $"Container {request.Config.Name}: its target {security.TargetId} does not run.");
                Join("pid", $"/proc/{request.Facts.TargetPid}/ns/pid");
                break;
            case NamespaceMode.Node:
                break;
            default:
                throw Refuse("container.invalid-namespace", $"Container {request.Config.Name}: pid namespace mode {security.Pid} is not known.");
        }
        if (request.Host.CgroupV2 && !security.Privileged) namespaces.Add(new OciNamespace("cgroup"));
        return namespaces;

        void Join(string type, string path)
        {
            if (path.Length > 0) namespaces.Add(new OciNamespace(type, path));
        }
    }

    private static SortedDictionary<string, string> AnnotationsOf(SpecRequest request, IReadOnlyDictionary<string, string>? start)
    {
        var (sandbox, handler) = (request.Sandbox, request.Handler);
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in start ?? ImmutableSortedDictionary<string, string>.Empty) annotations[key] = value;
        Pass(sandbox.Config.Annotations, handler.PodAnnotations);
        Pass(request.Config.Annotations, handler.ContainerAnnotations);
        annotations[SpecAnnotations.ContainerType] = "container";
        annotations[SpecAnnotations.SandboxId] = sandbox.Id;
        annotations[SpecAnnotations.SandboxName] = sandbox.Config.Name;
        annotations[SpecAnnotations.SandboxNamespace] = sandbox.Config.PodNamespace;
        annotations[SpecAnnotations.SandboxUid] = sandbox.Config.Uid;
        annotations[SpecAnnotations.ContainerName] = request.Config.Name;
        annotations[SpecAnnotations.ImageName] = request.ImageName;
        return annotations;

        void Pass(ImmutableSortedDictionary<string, string> from, ImmutableArray<string> globs)
        {
            foreach (var (key, value) in from)
                if (globs.Any(glob => SpecAnnotations.Matches(glob, key))) annotations[key] = value;
        }
    }

    private static FaultException Refuse(string code, string message) => new(FaultKind.InvalidArgument, code, message);
}
