namespace Runtime.Actors.Ports;

/// <summary>Where things are on disk. Every directory is made with mode 0700.</summary>
/// <param name="Root">Kept over reboots: journal, content, snapshots. <c>root</c> in the configuration.</param>
/// <param name="State">Gone after a reboot (a tmpfs): bundles, sockets, namespaces. <c>state</c> in the configuration.</param>
public sealed record DirectoryLayout(string Root, string State)
{
    public string JournalFile => Path.Combine(Root, "journal.db");

    /// <summary>Content in containerd's layout: <c>blobs/sha256/HEX</c>, <c>ingest/HASH/{data,ref,...}</c>.</summary>
    public string Content => Path.Combine(Root, "io.containerd.content.v1.content");

    /// <summary>A snapshotter's own directory.</summary>
    public string Snapshotter(string name) => Path.Combine(Root, $"io.containerd.snapshotter.v1.{name}");

    /// <summary>Where layers are mounted while they are packed and unpacked.</summary>
    public string TemporaryMounts => Path.Combine(State, "temporary-mounts");

    /// <summary>One file per pinned network namespace.</summary>
    public string NetworkNamespaces => Path.Combine(State, "netns");

    /// <summary>Files of one sandbox that live as long as it does: hostname, hosts, resolv.conf, shm, ipc and uts pins.</summary>
    public string Sandbox(string id) => Path.Combine(State, "sandboxes", id);

    /// <summary>Files of one container outside its bundle: volumes of the image.</summary>
    public string Container(string id) => Path.Combine(Root, "containers", id);

    /// <summary>The OCI bundle of a task or sandbox, in the place where containerd puts it.</summary>
    public string Bundle(string space, string id) => Path.Combine(State, "io.containerd.runtime.v2.task", space, id);

    /// <summary>Cached results of CNI ADD, as libcni keeps them.</summary>
    public string CniCache => Path.Combine(Root, "cni");
}
