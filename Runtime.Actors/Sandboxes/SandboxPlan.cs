using System.Text.Json.Serialization;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Sandboxes;

/// <summary>
/// Everything about a sandbox that is known before anything of it exists: where its parts will be, so that whatever a
/// crash leaves can be found again.
/// </summary>
public sealed record SandboxPlan
{
    public required string Id { get; init; }

    public required SandboxConfig Config { get; init; }

    /// <summary>After resolution of the default.</summary>
    public required string RuntimeHandler { get; init; }

    /// <summary>The pod's own, or the node's.</summary>
    public required string Hostname { get; init; }

    /// <summary>Under the root of every hierarchy.</summary>
    public required string CgroupPath { get; init; }

    public required string Directory { get; init; }

    public required string Bundle { get; init; }

    /// <summary>Pins; empty where the host's namespace is used.</summary>
    public required string NetworkNamespacePath { get; init; }

    public required string IpcNamespacePath { get; init; }

    public required string UtsNamespacePath { get; init; }

    /// <summary>Reference of the image of the pod's pause container; null: it has none, and needs none.</summary>
    public string? PauseImage { get; init; }

    /// <summary>What keeps that container's root file system.</summary>
    public string? PauseSnapshotter { get; init; }

    [JsonIgnore]
    public bool HasPause => !string.IsNullOrEmpty(PauseImage);
    /// <summary>Owns the others; null without one, as in plans from before there were any.</summary>
    public string? UserNamespacePath { get; init; }

    /// <summary>Of the pod's processes and files; null or empty without SELinux.</summary>
    public string? SelinuxLevel { get; init; }

    public bool HasNetwork => NetworkNamespacePath.Length > 0;

    public static SandboxPlan Make(NamespaceName space, string id, SandboxConfig config, SandboxOptions options)
    {
        var hostNetwork = config.Security.Network == NamespaceMode.Node;
        var hostIpc = config.Security.Ipc == NamespaceMode.Node;
        var directory = options.Directories.Sandbox(id);
        var parent = config.CgroupParent.Length > 0 ? config.CgroupParent.TrimEnd('/') : $"/{space}";
        return new SandboxPlan
        {
            Id = id,
            Config = config,
            RuntimeHandler = options.Handlers.Resolve(config.RuntimeHandler).Name,
            Hostname = config.Hostname.Length > 0 && !hostNetwork ? config.Hostname : options.Hostname,
            CgroupPath = $"{parent}/{id}",
            Directory = directory,
            Bundle = options.Directories.Bundle(space.Value, id),
            NetworkNamespacePath = hostNetwork ? "" : Path.Combine(options.Directories.NetworkNamespaces, id),
            IpcNamespacePath = hostIpc ? "" : Path.Combine(directory, "ipc"),
            // As the kubelet wants it: a pod on the host's network has the host's name too.
            UtsNamespacePath = hostNetwork ? "" : Path.Combine(directory, "uts"),
            PauseImage = options.PauseImage,
            PauseSnapshotter = options.PauseImage is null ? null : options.PauseSnapshotter,
            UserNamespacePath = config.Security.User == NamespaceMode.Pod ? Path.Combine(directory, "user") : null,
        };
    }
}
