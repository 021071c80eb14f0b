namespace Runtime.Host.Configuration;

/// <summary>Every key of the configuration. Reading, checking, <c>config default</c> and the documentation use this list.</summary>
public static class ConfigKeys
{
    private const string Images = "io.containerd.cri.v1.images";
    private const string Runtime = "io.containerd.cri.v1.runtime";
    private const string Cri = "io.containerd.grpc.v1.cri";
    private const string Grpc = "io.containerd.server.v1.grpc";
    private const string GrpcTcp = "io.containerd.server.v1.grpc-tcp";
    private const string Ttrpc = "io.containerd.server.v1.ttrpc";
    private const string Debug = "io.containerd.server.v1.debug";
    private const string Metrics = "io.containerd.server.v1.metrics";
    private const string Tasks = "io.containerd.service.v1.tasks-service";
    private const string Prometheus = "io.containerd.metrics.v1.grpc-prometheus";

    private static readonly List<ConfigKey> List = [];

    public static readonly ConfigKey Version = Add(["version"], ConfigType.Integer, "4", "Version of this file, 1 to 4.");
    public static readonly ConfigKey Root = Add(["root"], ConfigType.Text, "\"/var/lib/actord\"", "What is kept over reboots: journal, content, snapshots.");
    public static readonly ConfigKey State = Add(["state"], ConfigType.Text, "\"/run/actord\"", "What a reboot clears: bundles, sockets, pinned namespaces.");
    public static readonly ConfigKey OomScore = Add(["oom_score"], ConfigType.Integer, "0", "oom_score_adj of the daemon; where the kernel refuses to lower it, that is logged once.");
    public static readonly ConfigKey Imports = Add(["imports"], ConfigType.TextList, "[]", "Further files, globs allowed; tables merge, lists grow, later values win.");
    public static readonly ConfigKey LogLevel = Add(["debug", "level"], ConfigType.Text, "\"info\"", "trace, debug, info, warn, error, fatal or panic.");
    public static readonly ConfigKey LogFormat = Add(["debug", "format"], ConfigType.Text, "\"text\"", "text or json.");

    public static readonly ConfigKey GrpcAddress = Add(["plugins", Grpc, "address"], ConfigType.Text, "\"/run/actord/actord.sock\"", "Unix socket of CRI and containerd's services.");
    public static readonly ConfigKey GrpcUid = Add(["plugins", Grpc, "uid"], ConfigType.Integer, "0", "Owner of the socket.");
    public static readonly ConfigKey GrpcGid = Add(["plugins", Grpc, "gid"], ConfigType.Integer, "0", "Group of the socket, which may use it too.");
    public static readonly ConfigKey GrpcMaxRecv = Add(["plugins", Grpc, "max_recv_message_size"], ConfigType.Integer, "16777216", "Bytes of the largest request.");
    public static readonly ConfigKey GrpcMaxSend = Add(["plugins", Grpc, "max_send_message_size"], ConfigType.Integer, "16777216", "Bytes of the largest reply.");
    public static readonly ConfigKey TtrpcAddress = Add(["plugins", Ttrpc, "address"], ConfigType.Text, "\"\"", "Unix socket where shims report events; empty for the gRPC address and .ttrpc.");
    public static readonly ConfigKey TtrpcUid = Add(["plugins", Ttrpc, "uid"], ConfigType.Integer, "0", "Owner of that socket.");
    public static readonly ConfigKey TtrpcGid = Add(["plugins", Ttrpc, "gid"], ConfigType.Integer, "0", "Group of that socket.");
    public static readonly ConfigKey DebugAddress = Add(["plugins", Debug, "address"], ConfigType.Text, "\"\"", "Unix socket for diagnostics; empty for none.", inUse: false);
    public static readonly ConfigKey MetricsAddress = Add(["plugins", Metrics, "address"], ConfigType.Text, "\"\"", "host:port of the Prometheus endpoint; empty for none.", inUse: false);
    public static readonly ConfigKey GrpcHistogram = Add(["plugins", Prometheus, "grpc_histogram"], ConfigType.Flag, "false", "Latency histograms of every gRPC method.", inUse: false);

    public static readonly ConfigKey JournalSynchronous = Add(["journal", "synchronous"], ConfigType.Text, "\"full\"", "full survives power loss with every answered request; normal may lose the last moments of one.");
    public static readonly ConfigKey JournalCheck = Add(["journal", "check"], ConfigType.Text, "\"quick\"", "Integrity check at start: off, quick or full.");
    public static readonly ConfigKey JournalRetention = Add(["journal", "retention"], ConfigType.Duration, "\"720h\"", "How long events of removed entities are kept.");
    public static readonly ConfigKey JournalRetentionSize = Add(["journal", "retention_size"], ConfigType.Size, "\"1Gi\"", "Size past which the oldest of them go earlier.");
    public static readonly ConfigKey ChaosEnabled = Add(["chaos", "enabled"], ConfigType.Flag, "false", "Faults may be caused on purpose, with actr chaos: delays, errors and crashes at any step.");

    public static readonly ConfigKey Snapshotter = Add(["plugins", Images, "snapshotter"], ConfigType.Text, "\"overlayfs\"", "overlayfs, or native where overlay cannot be had.");
    public static readonly ConfigKey DisableSnapshotAnnotations = Add(["plugins", Images, "disable_snapshot_annotations"], ConfigType.Flag, "true", "Do not tell remote snapshotters about the image.", inUse: false);
    public static readonly ConfigKey DiscardUnpackedLayers = Add(["plugins", Images, "discard_unpacked_layers"], ConfigType.Flag, "false", "Drop compressed layers once they are unpacked.", inUse: false);
    public static readonly ConfigKey SandboxImage = Add(["plugins", Images, "pinned_images", "sandbox"], ConfigType.Text, "\"registry.k8s.io/pause:3.10.1\"", "Image that is never collected; named in Status.");
    public static readonly ConfigKey MaxConcurrentDownloads = Add(["plugins", Images, "max_concurrent_downloads"], ConfigType.Integer, "3", "Layers of one image that are fetched at once.");
    public static readonly ConfigKey PullProgressTimeout = Add(["plugins", Images, "image_pull_progress_timeout"], ConfigType.Duration, "\"5m0s\"", "A pull without a byte for this long ends.");
    public static readonly ConfigKey PullWithSyncFs = Add(["plugins", Images, "image_pull_with_sync_fs"], ConfigType.Flag, "false", "Sync unpacked layers to disk before an image counts as pulled.");
    public static readonly ConfigKey StatsCollectPeriod = Add(["plugins", Images, "stats_collect_period"], ConfigType.Integer, "10", "Seconds between two readings of what containers and pods use, their writable layers included.");
    public static readonly ConfigKey RegistryConfigPath = Add(["plugins", Images, "registry", "config_path"], ConfigType.Text, "\"\"", "Directories with hosts.toml files, joined by ':'; empty for /etc/containerd/certs.d.");

    public static readonly ConfigKey DefaultRuntime = Add(["plugins", Runtime, "containerd", "default_runtime_name"], ConfigType.Text, "\"runc\"", "Runtime of pods that name none.");
    public static readonly ConfigKey RuntimeType = Add(["plugins", Runtime, "containerd", "runtimes", "*", "runtime_type"], ConfigType.Text, "\"io.containerd.runc.v2\"", "Which shim: io.containerd.runc.v2 is the one that comes with this daemon.");
    public static readonly ConfigKey RuntimePath = Add(["plugins", Runtime, "containerd", "runtimes", "*", "runtime_path"], ConfigType.Text, "\"\"", "Absolute path of the shim; empty to find it by its type.");
    public static readonly ConfigKey RuntimePodAnnotations = Add(["plugins", Runtime, "containerd", "runtimes", "*", "pod_annotations"], ConfigType.TextList, "[]", "Globs of pod annotations that the OCI runtime gets.");
    public static readonly ConfigKey RuntimeContainerAnnotations = Add(["plugins", Runtime, "containerd", "runtimes", "*", "container_annotations"], ConfigType.TextList, "[]", "Globs of container annotations that the OCI runtime gets.");
    public static readonly ConfigKey RuntimePrivileged = Add(["plugins", Runtime, "containerd", "runtimes", "*", "privileged_without_host_devices"], ConfigType.Flag, "false", "Privileged containers do not get the host's devices.");
    public static readonly ConfigKey RuntimePrivilegedAllowed = Add(["plugins", Runtime, "containerd", "runtimes", "*", "privileged_without_host_devices_all_devices_allowed"], ConfigType.Flag, "false", "With that, they may make and use any device all the same.");
    public static readonly ConfigKey RuntimeCgroupWritable = Add(["plugins", Runtime, "containerd", "runtimes", "*", "cgroup_writable"], ConfigType.Flag, "false", "Containers may write below /sys/fs/cgroup.");
    public static readonly ConfigKey RuntimeBaseSpec = Add(["plugins", Runtime, "containerd", "runtimes", "*", "base_runtime_spec"], ConfigType.Text, "\"\"", "JSON file that every OCI spec of this runtime starts from.");
    public static readonly ConfigKey RuntimeSnapshotter = Add(["plugins", Runtime, "containerd", "runtimes", "*", "snapshotter"], ConfigType.Text, "\"\"", "Snapshotter of this runtime; empty for the general one.");
    public static readonly ConfigKey RuntimeCniConfDir = Add(["plugins", Runtime, "containerd", "runtimes", "*", "cni_conf_dir"], ConfigType.Text, "\"\"", "CNI configuration of this runtime; empty for the general one.");
    public static readonly ConfigKey OptionBinaryName = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "BinaryName"], ConfigType.Text, "\"\"", "The OCI runtime: a path, or a name on PATH; empty for runc.");
    public static readonly ConfigKey OptionRoot = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "Root"], ConfigType.Text, "\"\"", "State directory of the OCI runtime.");
    public static readonly ConfigKey OptionSystemdCgroup = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "SystemdCgroup"], ConfigType.Flag, "false", "systemd makes the cgroups. Must agree with the kubelet.");
    public static readonly ConfigKey OptionNoPivotRoot = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "NoPivotRoot"], ConfigType.Flag, "false", "chroot and move instead of pivot_root, for hosts on a ramdisk.");
    public static readonly ConfigKey OptionNoNewKeyring = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "NoNewKeyring"], ConfigType.Flag, "false", "Containers keep the session keyring of the daemon.");
    public static readonly ConfigKey OptionShimCgroup = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "ShimCgroup"], ConfigType.Text, "\"\"", "cgroup that shims are put into.");
    public static readonly ConfigKey OptionCriuPath = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "CriuPath"], ConfigType.Text, "\"\"", "The criu binary.");
    public static readonly ConfigKey OptionIoUid = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "IoUid"], ConfigType.Integer, "0", "Owner of the containers' pipes.");
    public static readonly ConfigKey OptionIoGid = Add(["plugins", Runtime, "containerd", "runtimes", "*", "options", "IoGid"], ConfigType.Integer, "0", "Group of the containers' pipes.");

    public static readonly ConfigKey StreamAddress = Add(["plugins", Cri, "stream_server_address"], ConfigType.Text, "\"127.0.0.1\"", "IP address where exec, attach and port-forward are served; the kubelet comes from this machine.");
    public static readonly ConfigKey StreamPort = Add(["plugins", Cri, "stream_server_port"], ConfigType.Text, "\"0\"", "Its port; 0 for any that is free.");
    public static readonly ConfigKey StreamIdleTimeout = Add(["plugins", Cri, "stream_idle_timeout"], ConfigType.Duration, "\"4h0m0s\"", "A stream on which nothing moves for this long is closed.");
    public static readonly ConfigKey StreamTls = Add(["plugins", Cri, "enable_tls_streaming"], ConfigType.Flag, "false", "Serve streams over TLS; without a key pair, with a certificate that is made at each start.");
    public static readonly ConfigKey StreamCertificate = Add(["plugins", Cri, "x509_key_pair_streaming", "tls_cert_file"], ConfigType.Text, "\"\"", "PEM file of the certificate for that.");
    public static readonly ConfigKey StreamKey = Add(["plugins", Cri, "x509_key_pair_streaming", "tls_key_file"], ConfigType.Text, "\"\"", "PEM file of its key.");

    public static readonly ConfigKey CniBinDirs = Add(["plugins", Runtime, "cni", "bin_dirs"], ConfigType.TextList, "[\"/opt/cni/bin\", \"/usr/lib/cni\"]", "Where CNI plugins are looked for, in order.");
    public static readonly ConfigKey CniConfDir = Add(["plugins", Runtime, "cni", "conf_dir"], ConfigType.Text, "\"/etc/cni/net.d\"", "CNI configuration lists.");
    public static readonly ConfigKey CniConfTemplate = Add(["plugins", Runtime, "cni", "conf_template"], ConfigType.Text, "\"\"", "Template that a CNI configuration is made of when the kubelet says which addresses pods have, and there is none yet; empty where an add-on installs one.");
    public static readonly ConfigKey CniMaxConfNum = Add(["plugins", Runtime, "cni", "max_conf_num"], ConfigType.Integer, "1", "How many of them are used, in the order of their names; 0 for all.");
    public static readonly ConfigKey CniIpPref = Add(["plugins", Runtime, "cni", "ip_pref"], ConfigType.Text, "\"ipv4\"", "Which address is the pod's first: ipv4, ipv6, or cni for the plugins' order.");
    public static readonly ConfigKey MaxLogLineSize = Add(["plugins", Runtime, "max_container_log_line_size"], ConfigType.Integer, "16384", "Bytes after which a log line is split; -1 for no limit.");
    public static readonly ConfigKey MaxLogSize = Add(["plugins", Runtime, "max_container_log_size"], ConfigType.Size, "-1", "Bytes after which a log is rotated when the kubelet is late; -1 for no limit.");
    public static readonly ConfigKey RestrictOomScoreAdj = Add(["plugins", Runtime, "restrict_oom_score_adj"], ConfigType.Flag, "false", "Never go below the daemon's own oom_score_adj; found out by itself where the kernel insists.");
    public static readonly ConfigKey UnsetSeccompProfile = Add(["plugins", Runtime, "unset_seccomp_profile"], ConfigType.Text, "\"\"", "Seccomp profile of containers that ask for none.");
    public static readonly ConfigKey Pause = Add(["plugins", Runtime, "pause"], ConfigType.Text, "\"auto\"", "auto: pods have no pause container, and a process of ours where they share their processes; image: each has one, of the sandbox image.");
    public static readonly ConfigKey DisableProcMount = Add(["plugins", Runtime, "disable_proc_mount"], ConfigType.Flag, "false", "Mask the usual paths of /proc whatever is asked for: for kubelets before 1.12.");
    public static readonly ConfigKey DeviceOwnership = Add(["plugins", Runtime, "device_ownership_from_security_context"], ConfigType.Flag, "false", "Devices belong to the container's user and group.");
    public static readonly ConfigKey DisableHugetlb = Add(["plugins", Runtime, "disable_hugetlb_controller"], ConfigType.Flag, "true", "Never set limits of huge pages.");
    public static readonly ConfigKey TolerateMissingHugetlb = Add(["plugins", Runtime, "tolerate_missing_hugetlb_controller"], ConfigType.Flag, "true", "Leave out limits of huge pages where the machine has no such controller; false: refuse them.");
    public static readonly ConfigKey DrainExecTimeout = Add(["plugins", Runtime, "drain_exec_sync_io_timeout"], ConfigType.Duration, "\"10s\"", "How long output is awaited after a command of ExecSync has ended.");
    public static readonly ConfigKey IgnoreVolumes = Add(["plugins", Runtime, "ignore_image_defined_volumes"], ConfigType.Flag, "false", "Do not make volumes that only the image asks for.");
    public static readonly ConfigKey UnprivilegedPorts = Add(["plugins", Runtime, "enable_unprivileged_ports"], ConfigType.Flag, "true", "Pods with their own network may bind ports below 1024.");
    public static readonly ConfigKey UnprivilegedIcmp = Add(["plugins", Runtime, "enable_unprivileged_icmp"], ConfigType.Flag, "true", "Pods with their own network may ping.");
    public static readonly ConfigKey EnableSelinux = Add(["plugins", Runtime, "enable_selinux"], ConfigType.Flag, "false", "Label containers and their volumes, where the kernel has SELinux.");
    public static readonly ConfigKey SelinuxCategories = Add(["plugins", Runtime, "selinux_category_range"], ConfigType.Integer, "1024", "How many SELinux categories pods are kept apart by, 2 to 1024.");
    public static readonly ConfigKey DisableApparmor = Add(["plugins", Runtime, "disable_apparmor"], ConfigType.Flag, "false", "Run every container without an AppArmor profile.");
    public static readonly ConfigKey EnableCdi = Add(["plugins", Runtime, "enable_cdi"], ConfigType.Flag, "true", "Containers may ask for devices of the Container Device Interface.");
    public static readonly ConfigKey CdiSpecDirs = Add(["plugins", Runtime, "cdi_spec_dirs"], ConfigType.TextList, "[\"/etc/cdi\", \"/var/run/cdi\"]", "Where CDI files are; a later directory comes before an earlier one.");
    public static readonly ConfigKey IgnoreBlockIo = Add(["plugins", Runtime, "containerd", "ignore_blockio_not_enabled_errors"], ConfigType.Flag, "false", "Run containers that ask for a block I/O class without one.");
    public static readonly ConfigKey BlockIoFile = Add(["plugins", Tasks, "blockio_config_file"], ConfigType.Text, "\"\"", "YAML file of the classes of block I/O that containers may ask for; empty for none.");
    public static readonly ConfigKey IgnoreRdt = Add(["plugins", Runtime, "containerd", "ignore_rdt_not_enabled_errors"], ConfigType.Flag, "false", "Run containers that ask for an RDT class without one.");

    static ConfigKeys()
    {
        Accepted("temp", "plugin_dir", "disabled_plugins", "required_plugins", "cgroup", "proxy_plugins", "timeouts",
            "stream_processors", "debug.uid", "debug.gid", "debug.log_trace_id");
        foreach (var key in new[] { "uid", "gid", "tcp_address", "tcp_tls_ca", "tcp_tls_cert", "tcp_tls_key", "tcp_tls_common_name" })
            if (!List.Exists(known => known.Matches(["plugins", Grpc, key]))) AcceptedIn(Grpc, key);
        AcceptedIn(Debug, "uid", "gid");
        AcceptedIn(GrpcTcp, "address", "tls_ca", "tls_cert", "tls_key", "tls_common_name", "max_recv_message_size", "max_send_message_size");
        AcceptedIn(Images, "image_decryption", "runtime_platforms", "concurrent_layer_fetch_buffer", "use_local_image_pull");
        foreach (var key in new[] { "mirrors", "configs", "auths", "headers" }) AcceptedIn(Images, $"registry.{key}");
        AcceptedIn(Runtime, "netns_mounts_under_state_dir", "ignore_deprecation_warnings", "enable_criu",
            "stats_collect_period", "stats_retention_period", "systemd_cgroup", "disable_cgroup",
            "cni.bin_dir", "cni.setup_serially", "cni.use_internal_loopback",
            "containerd.no_pivot",
            "containerd.default_runtime", "containerd.untrusted_workload_runtime",
            "containerd.runtimes.*.cni_max_conf_num", "containerd.runtimes.*.sandboxer", "containerd.runtimes.*.io_type",
            "containerd.runtimes.*.disable_pause_image_pull", "containerd.runtimes.*.runtime_engine",
            "containerd.runtimes.*.runtime_root", "containerd.runtimes.*.options.*");
        AcceptedIn(Tasks, "rdt_config_file");
        AcceptedIn(Cri, "disable_tcp_service");
    }

    public static IReadOnlyList<ConfigKey> All => List;

    private static ConfigKey Add(string[] path, ConfigType type, string defaultToml, string doc, bool inUse = true)
    {
        var key = new ConfigKey(path, type, defaultToml, doc, inUse);
        List.Add(key);
        return key;
    }

    private static void Accepted(params string[] paths)
    {
        foreach (var path in paths) List.Add(new ConfigKey(path.Split('.'), ConfigType.Any, null, "", InUse: false));
    }

    private static void AcceptedIn(string plugin, params string[] paths)
    {
        foreach (var path in paths)
            List.Add(new ConfigKey(["plugins", plugin, .. path.Split('.')], ConfigType.Any, null, "", InUse: false));
    }
}
