using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Cri.Streaming;
using Runtime.Oci.Images;

namespace Runtime.Host.Configuration;

/// <summary>Makes an <see cref="ActordConfig"/> of a checked table, and says all that is wrong with the values at once.</summary>
internal sealed class ConfigBinder(ConfigTable root, string file)
{
    private static readonly string[] Levels = ["trace", "debug", "info", "warn", "error", "fatal", "panic"];

    private readonly ConfigReader _read = new(root);
    private readonly List<ConfigFinding> _wrong = [];

    public (ActordConfig Config, IReadOnlyList<ConfigFinding> Wrong) Bind()
    {
        var grpc = new SocketConfig(Absolute(ConfigKeys.GrpcAddress), Number(ConfigKeys.GrpcUid), Number(ConfigKeys.GrpcGid));
        var ttrpcAddress = _read.Text(ConfigKeys.TtrpcAddress);
        var config = new ActordConfig
        {
            Root = Absolute(ConfigKeys.Root),
            State = Absolute(ConfigKeys.State),
            OomScore = Number(ConfigKeys.OomScore, -1000, 1000),
            LogLevel = OneOf(ConfigKeys.LogLevel, Levels),
            LogJson = OneOf(ConfigKeys.LogFormat, ["text", "json"]) == "json",
            Grpc = grpc,
            Ttrpc = ttrpcAddress.Length == 0
                ? grpc with { Address = grpc.Address + ".ttrpc" }
                : new SocketConfig(Absolute(ConfigKeys.TtrpcAddress), Number(ConfigKeys.TtrpcUid), Number(ConfigKeys.TtrpcGid)),
            MaxReceiveSize = Number(ConfigKeys.GrpcMaxRecv, 1),
            MaxSendSize = Number(ConfigKeys.GrpcMaxSend, 1),
            Journal = new JournalConfig(
                OneOf(ConfigKeys.JournalSynchronous, ["normal", "full"]),
                OneOf(ConfigKeys.JournalCheck, ["off", "quick", "full"]),
                _read.Duration(ConfigKeys.JournalRetention),
                _read.Size(ConfigKeys.JournalRetentionSize)),
            ChaosEnabled = _read.Flag(ConfigKeys.ChaosEnabled),
            Images = BindImages(),
            Runtimes = BindRuntimes(),
            Cni = new CniConfig(
                _read.TextList(ConfigKeys.CniBinDirs),
                _read.Text(ConfigKeys.CniConfDir),
                _read.Text(ConfigKeys.CniConfTemplate),
                Number(ConfigKeys.CniMaxConfNum),
                OneOf(ConfigKeys.CniIpPref, ["ipv4", "ipv6", "cni"])),
            Containers = BindContainers(),
            Streaming = BindStreaming(),
        };
        if (config.Root == config.State) Wrong(ConfigKeys.State, null, "state must not be the same directory as root.");
        return (config, _wrong);
    }

    private ImagesConfig BindImages()
    {
        var registry = _read.Text(ConfigKeys.RegistryConfigPath);
        return new ImagesConfig(
            OneOf(ConfigKeys.Snapshotter, ["overlayfs", "native"]),
            _read.Text(ConfigKeys.SandboxImage),
            Number(ConfigKeys.MaxConcurrentDownloads, 1, 100),
            _read.Duration(ConfigKeys.PullProgressTimeout),
            _read.Flag(ConfigKeys.PullWithSyncFs),
            registry.Length == 0 ? ["/etc/containerd/certs.d"] : [.. registry.Split(':', StringSplitOptions.RemoveEmptyEntries)])
        {
            StatsPeriod = TimeSpan.FromSeconds(Number(ConfigKeys.StatsCollectPeriod, 1, 3600)),
        };
    }

    private ContainersConfig BindContainers() => new(
        Number(ConfigKeys.MaxLogLineSize, -1),
        _read.Size(ConfigKeys.MaxLogSize),
        _read.Flag(ConfigKeys.RestrictOomScoreAdj),
        _read.Text(ConfigKeys.UnsetSeccompProfile),
        _read.Duration(ConfigKeys.DrainExecTimeout),
        _read.Flag(ConfigKeys.IgnoreVolumes),
        _read.Flag(ConfigKeys.UnprivilegedPorts),
        _read.Flag(ConfigKeys.UnprivilegedIcmp))
    {
        PauseImage = BindPause(),
        UsualProcPaths = _read.Flag(ConfigKeys.DisableProcMount),
        DevicesOfUser = _read.Flag(ConfigKeys.DeviceOwnership),
        BlockIoFile = _read.Text(ConfigKeys.BlockIoFile),
        HugetlbDisabled = _read.Flag(ConfigKeys.DisableHugetlb),
        HugetlbRequired = !_read.Flag(ConfigKeys.TolerateMissingHugetlb),
        EnableSelinux = _read.Flag(ConfigKeys.EnableSelinux),
        SelinuxCategories = Number(ConfigKeys.SelinuxCategories, 2, SelinuxLevel.CategoriesMax),
        DisableApparmor = _read.Flag(ConfigKeys.DisableApparmor),
        CdiSpecDirs = _read.Flag(ConfigKeys.EnableCdi) ? _read.TextList(ConfigKeys.CdiSpecDirs) : [],
        Policy = new ContainerPolicy
        {
            IgnoreBlockIoClasses = _read.Flag(ConfigKeys.IgnoreBlockIo),
            IgnoreRdtClasses = _read.Flag(ConfigKeys.IgnoreRdt),
        },
    };

    private string? BindPause()
    {
        if (OneOf(ConfigKeys.Pause, ["auto", "image"]) == "auto") return null;
        var image = _read.Text(ConfigKeys.SandboxImage);
        if (!ImageReference.TryParse(image, out _))
            Wrong(ConfigKeys.Pause, null, $"pause is \"image\", but the sandbox image \"{image}\" is no image reference.");
        return image;
    }

    private StreamingOptions BindStreaming()
    {
        var streaming = new StreamingOptions
        {
            Address = StreamAddress(),
            Port = StreamPort(),
            IdleTimeout = _read.Duration(ConfigKeys.StreamIdleTimeout),
            Tls = _read.Flag(ConfigKeys.StreamTls),
            CertificateFile = _read.Text(ConfigKeys.StreamCertificate),
            KeyFile = _read.Text(ConfigKeys.StreamKey),
        };
        if ((streaming.CertificateFile.Length > 0) != (streaming.KeyFile.Length > 0))
            Wrong(ConfigKeys.StreamCertificate, null, "x509_key_pair_streaming needs both tls_cert_file and tls_key_file, or neither.");
        else if (streaming.CertificateFile.Length > 0 && !streaming.Tls)
            Wrong(ConfigKeys.StreamCertificate, null, "x509_key_pair_streaming is set, but enable_tls_streaming is not.");
        return streaming;
    }

    // Empty is the address of containerd's old files for "of this machine".
    private string StreamAddress()
    {
        var text = _read.Text(ConfigKeys.StreamAddress);
        if (text is "" or "localhost") return "127.0.0.1";
        if (!System.Net.IPAddress.TryParse(text, out _))
            Wrong(ConfigKeys.StreamAddress, null, $"stream_server_address is \"{text}\", but must be an IP address.");
        return text;
    }

    private int StreamPort()
    {
        var text = _read.Text(ConfigKeys.StreamPort);
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            Wrong(ConfigKeys.StreamPort, null, $"stream_server_port is \"{text}\", but must be from 0 to {ushort.MaxValue}.");
        return port;
    }

    private RuntimeHandlers BindRuntimes()
    {
        var names = _read.Names(ConfigKeys.RuntimeType);
        var handlers = (names.IsEmpty ? ["runc"] : names).ToImmutableSortedDictionary(name => name, BindRuntime);
        var fallback = _read.Text(ConfigKeys.DefaultRuntime);
        if (!handlers.ContainsKey(fallback))
        {
            Wrong(ConfigKeys.DefaultRuntime, null,
                $"default_runtime_name is \"{fallback}\", but only {string.Join(", ", handlers.Keys)} are configured.");
        }
        return new RuntimeHandlers(fallback, handlers);
    }

    private RuntimeHandler BindRuntime(string name) => new()
    {
        Name = name,
        RuntimeType = _read.Text(ConfigKeys.RuntimeType, name),
        RuntimePath = _read.Text(ConfigKeys.RuntimePath, name),
        PodAnnotations = _read.TextList(ConfigKeys.RuntimePodAnnotations, name),
        ContainerAnnotations = _read.TextList(ConfigKeys.RuntimeContainerAnnotations, name),
        PrivilegedWithoutHostDevices = _read.Flag(ConfigKeys.RuntimePrivileged, name),
        PrivilegedWithAllDevicesAllowed = _read.Flag(ConfigKeys.RuntimePrivilegedAllowed, name),
        CgroupWritable = _read.Flag(ConfigKeys.RuntimeCgroupWritable, name),
        BaseRuntimeSpec = BaseSpec(name),
        Snapshotter = _read.Text(ConfigKeys.RuntimeSnapshotter, name),
        CniConfDir = _read.Text(ConfigKeys.RuntimeCniConfDir, name),
        Options = new RuncOptions
        {
            BinaryName = _read.Text(ConfigKeys.OptionBinaryName, name),
            Root = _read.Text(ConfigKeys.OptionRoot, name),
            SystemdCgroup = _read.Flag(ConfigKeys.OptionSystemdCgroup, name),
            NoPivotRoot = _read.Flag(ConfigKeys.OptionNoPivotRoot, name),
            NoNewKeyring = _read.Flag(ConfigKeys.OptionNoNewKeyring, name),
            ShimCgroup = _read.Text(ConfigKeys.OptionShimCgroup, name),
            CriuPath = _read.Text(ConfigKeys.OptionCriuPath, name),
            IoUid = (uint)Number(ConfigKeys.OptionIoUid, 0, int.MaxValue, name),
            IoGid = (uint)Number(ConfigKeys.OptionIoGid, 0, int.MaxValue, name),
        },
    };

    private string BaseSpec(string name)
    {
        var path = _read.Text(ConfigKeys.RuntimeBaseSpec, name);
        if (path.Length > 0 && !File.Exists(path)) Wrong(ConfigKeys.RuntimeBaseSpec, name, $"base_runtime_spec {path} does not exist.");
        return path;
    }

    private int Number(ConfigKey key, int min = 0, int max = int.MaxValue, string? name = null)
    {
        var value = _read.Integer(key, name);
        if (value < min || value > max) Wrong(key, name, $"{key.Name} is {value}, but must be from {min} to {max}.");
        return (int)Math.Clamp(value, min, max);
    }

    private string Absolute(ConfigKey key)
    {
        var path = _read.Text(key);
        if (!Path.IsPathRooted(path)) Wrong(key, null, $"{key.Name} must be an absolute path, not \"{path}\".");
        return path;
    }

    private string OneOf(ConfigKey key, string[] words)
    {
        var word = _read.Text(key);
        if (!words.Contains(word)) Wrong(key, null, $"{key.Name} is \"{word}\", but must be one of {string.Join(", ", words)}.");
        return word;
    }

    private void Wrong(ConfigKey key, string? name, string message) =>
        _wrong.Add(new(ConfigSeverity.Error, _read.PositionOf(key, name) ?? new ConfigPosition(file, 1, 1), message));
}
