namespace Runtime.Host.Configuration;

/// <summary>
/// Brings files of versions 1 to 3 to the tables of version 4, in memory. One step per version, each from the facts of
/// containerd's own migrations: see its docs/PLUGINS.md and RELEASES.md.
/// </summary>
public static class ConfigMigrations
{
    public const int Current = 4;

    private const string Plugins = "plugins";
    private const string OldCri = "io.containerd.grpc.v1.cri";
    private const string CriImages = "io.containerd.cri.v1.images";
    private const string CriRuntime = "io.containerd.cri.v1.runtime";

    // Version 1 had short names for these plugins.
    private static readonly Dictionary<string, string> LongNames = new(StringComparer.Ordinal)
    {
        ["cri"] = OldCri,
        ["cgroups"] = "io.containerd.monitor.v1.cgroups",
        ["linux"] = "io.containerd.runtime.v1.linux",
        ["scheduler"] = "io.containerd.gc.v1.scheduler",
        ["bolt"] = "io.containerd.metadata.v1.bolt",
        ["task"] = "io.containerd.runtime.v2.task",
        ["opt"] = "io.containerd.internal.v1.opt",
        ["restart"] = "io.containerd.internal.v1.restart",
        ["btrfs"] = "io.containerd.snapshotter.v1.btrfs",
        ["native"] = "io.containerd.snapshotter.v1.native",
        ["overlayfs"] = "io.containerd.snapshotter.v1.overlayfs",
    };

    // What version 3 took out of the one CRI table, by the table that has it now.
    private static readonly string[] ImageKeys =
    [
        "registry", "image_decryption", "max_concurrent_downloads", "image_pull_progress_timeout",
        "image_pull_with_sync_fs", "stats_collect_period",
    ];

    private static readonly string[] ImageKeysOfContainerd =
        ["snapshotter", "disable_snapshot_annotations", "discard_unpacked_layers"];

    private static readonly string[] StreamingKeys =
    [
        "disable_tcp_service", "stream_server_address", "stream_server_port", "stream_idle_timeout",
        "enable_tls_streaming", "x509_key_pair_streaming",
    ];

    /// <summary>Changes <paramref name="root"/> to version 4 and answers the version that the file had.</summary>
    /// <exception cref="ConfigException">A version that is not known.</exception>
    public static int Migrate(ConfigTable root, string file)
    {
        var stated = root["version"];
        var version = stated is null ? 1 : stated.Value as long? ?? 0;
        if (version is < 1 or > Current)
        {
            throw new ConfigException([new(ConfigSeverity.Error, stated!.At,
                $"version must be a number from 1 to {Current}; this program knows no other.")]);
        }
        // A file without any version is version 1 for containerd; without old names in it, it reads the same as any other.
        var at = stated?.At ?? new ConfigPosition(file, 1, 1);
        if (version < 2) LengthenNames(root);
        if (version < 3) SplitCri(root, at);
        MoveServers(root, at);
        root.Set("version", new ConfigEntry((long)Current, at));
        return (int)version;
    }

    private static void LengthenNames(ConfigTable root)
    {
        if (root.Table(Plugins) is { } plugins)
        {
            foreach (var name in plugins.Entries.Keys.Where(name => !name.Contains('.')).ToArray())
                plugins.Set(LongName(name), plugins.Take(name)!);
        }
        foreach (var list in new[] { "disabled_plugins", "required_plugins" })
        {
            if (root[list] is { Value: List<ConfigEntry> names } entry)
                root.Set(list, entry with { Value = names.ConvertAll(Lengthened) });
        }

        static ConfigEntry Lengthened(ConfigEntry name) =>
            name.Value is string text && !text.Contains('.') ? name with { Value = LongName(text) } : name;
    }

    private static string LongName(string name) =>
        LongNames.TryGetValue(name, out var known) ? known
        : name.EndsWith("-service", StringComparison.Ordinal) ? $"io.containerd.service.v1.{name}"
        : $"io.containerd.grpc.v1.{name}";

    private static void SplitCri(ConfigTable root, ConfigPosition at)
    {
        if (root.Table(Plugins) is not { } plugins || plugins.Table(OldCri) is not { } old) return;
        var images = plugins.Sub(CriImages, at)!;
        var runtime = plugins.Sub(CriRuntime, at)!;

        if (old.Take("sandbox_image") is { } sandboxImage)
            images.Sub("pinned_images", sandboxImage.At)?.Set("sandbox", sandboxImage);
        Move(old, images, ImageKeys);

        if (old.Table("cni") is { } cni && cni.Take("bin_dir") is { } binDir && cni["bin_dirs"] is null)
            cni.Set("bin_dirs", binDir with { Value = new List<ConfigEntry> { binDir } });

        if (old.Table("containerd") is { } containerd)
        {
            Move(containerd, images, ImageKeysOfContainerd);
            foreach (var table in Tables(containerd.Table("runtimes")))
                if (table.Take("sandbox_mode") is { } mode && table["sandboxer"] is null) table.Set("sandboxer", mode);
        }
        foreach (var key in old.Entries.Keys.Except(StreamingKeys).ToArray())
        {
            var entry = old.Take(key)!;
            if (runtime[key] is { Value: ConfigTable mine } && entry.Value is ConfigTable theirs)
            {
                theirs.Merge(mine);
                runtime.Set(key, entry);
            }
            else if (runtime[key] is null) runtime.Set(key, entry);
        }
    }

    // Version 4 made a plugin table of each server. The old tables are still read in any version, as containerd does.
    private static void MoveServers(ConfigTable root, ConfigPosition at)
    {
        var grpc = root.Take("grpc");
        var ttrpc = root.Take("ttrpc");
        var metrics = root.Take("metrics");
        var plugins = root.Sub(Plugins, at);
        if (plugins is null) return;
        Lift(grpc, "io.containerd.server.v1.grpc");
        Lift(ttrpc, "io.containerd.server.v1.ttrpc");
        if (root.Table("debug") is { } debug)
        {
            var server = new ConfigTable();
            Move(debug, server, ["address", "uid", "gid"]);
            if (server.Entries.Count > 0) Lift(new ConfigEntry(server, root["debug"]!.At), "io.containerd.server.v1.debug");
        }
        if (metrics is { Value: ConfigTable table })
        {
            if (table.Take("grpc_histogram") is { } histogram)
                plugins.Sub("io.containerd.metrics.v1.grpc-prometheus", histogram.At)?.Set("grpc_histogram", histogram);
            Lift(metrics, "io.containerd.server.v1.metrics");
        }

        void Lift(ConfigEntry? entry, string plugin)
        {
            if (entry is null) return;
            if (plugins!.Table(plugin) is { } newer && entry.Value is ConfigTable older)
            {
                older.Merge(newer);
                plugins.Set(plugin, entry);
            }
            else plugins.Set(plugin, entry);
        }
    }

    private static void Move(ConfigTable from, ConfigTable to, string[] keys)
    {
        foreach (var key in keys)
            if (from.Take(key) is { } entry && to[key] is null) to.Set(key, entry);
    }

    private static IEnumerable<ConfigTable> Tables(ConfigTable? parent) =>
        parent is null ? [] : parent.Entries.Values.Select(entry => entry.Value).OfType<ConfigTable>();
}
