using Runtime.Shim.Bundles;
using Runtime.Shim.Oci;
using Runtime.Ttrpc.Bootstrap;

namespace Runtime.Shim.Tasks;

/// <summary>One container. Operations that run the OCI runtime take turns; everything else answers at once.</summary>
internal sealed class Container(string id, string bundle, OciRuntime runtime, RuncOptionsMessage options, ContainerProcess init, BundleSpec spec)
{
    private readonly Queue<Action> _turns = new();
    private bool _isBusy;

    public string Id => id;

    public string Bundle => bundle;

    public OciRuntime Runtime => runtime;

    public RuncOptionsMessage Options => options;

    public ContainerProcess Init => init;

    public BundleSpec Spec => spec;

    /// <summary>Directory of the checkpoint that its start restores; empty for none.</summary>
    public string Checkpoint { get; init; } = "";

    public Dictionary<string, ContainerProcess> Execs { get; } = [];

    /// <summary>Relative to each hierarchy's root; empty while it is not known.</summary>
    public string CgroupPath { get; set; } = "";

    public OomWatch? Oom { get; set; }

    public bool IsPaused { get; set; }

    /// <summary>Its init process has ended but execs of it are not reaped yet.</summary>
    public bool IsInitExitHeld { get; set; }

    public string RootfsPath => Path.Combine(bundle, "rootfs");

    /// <summary>Runs <paramref name="operation"/> when its turn comes; it must call <see cref="EndTurn"/> once.</summary>
    public void TakeTurn(Action operation)
    {
        if (_isBusy)
        {
            _turns.Enqueue(operation);
            return;
        }
        _isBusy = true;
        operation();
    }

    public void EndTurn()
    {
        _isBusy = false;
        if (_turns.TryDequeue(out var next))
            TakeTurn(next);
    }
}
