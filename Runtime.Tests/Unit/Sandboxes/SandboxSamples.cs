using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;

namespace Runtime.Tests.Unit.Sandboxes;

/// <summary>Sandboxes as tests want them.</summary>
internal static class SandboxSamples
{
    public static readonly string Id = new('a', 64);
    public static readonly NamespaceName Space = NamespaceName.Kubernetes;
    public static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static readonly SandboxOptions Options = new()
    {
        Directories = new DirectoryLayout("/root", "/state"),
        Handlers = new RuntimeHandlers("runc", new Dictionary<string, RuntimeHandler>
        {
            ["runc"] = new() { Name = "runc" },
            ["systemd"] = new() { Name = "systemd", Options = new RuncOptions { SystemdCgroup = true } },
        }.ToImmutableSortedDictionary()),
        Hostname = "node",
        BootId = "boot-1",
    };

    public static readonly SandboxConfig Config = new()
    {
        Name = "web",
        Uid = "uid-1",
        PodNamespace = "default",
        CgroupParent = "/kubepods/pod1",
        Security = new SecurityOptions { Pid = NamespaceMode.Container },
    };

    public static readonly SandboxPlan Plan = SandboxPlan.Make(Space, Id, Config, Options);

    public static RunSandbox Run(SandboxConfig? config = null, string? id = null) => new(Space, id ?? Id, config ?? Config);

    public static readonly StopSandbox Stop = new(Space, Id);
    public static readonly RemoveSandbox Remove = new(Space, Id);

    public static readonly SandboxRunRequested Requested = new(Plan, "boot-1", Now);
    public static readonly SandboxNetworkAttached Attached = new(["10.0.0.2", "fd00::2"], "{}", Now);
    public static readonly SandboxShimStarted ShimUp = new(42, Now);
    public static readonly SandboxRunCompleted Completed = new(Now);
    public static readonly SandboxUntaken Untaken = new(Now);
    public static readonly SandboxLost Lost = new("The pod's shim died.", Now);
    public static readonly SandboxStopRequested StopRequested = new(Now);
    public static readonly SandboxStopCompleted StopCompleted = new(Now);
    public static readonly SandboxRemoveRequested RemoveRequested = new(Now);
    public static readonly SandboxRunFailed Failed = new(new(Faults.FaultKind.Internal, "cni.plugin-failed", "no"), Now);
    public static readonly SandboxRemoveCompleted Removed = new(Now);

    /// <summary>The events that lead to each phase.</summary>
    public static ImmutableArray<IDomainEvent> Path(string phase) => phase switch
    {
        "None" => [],
        "Starting" => [Requested],
        "Attached" => [Requested, Attached],
        "ShimStarted" => [Requested, ShimUp],
        "Ready" => [Requested, Attached, ShimUp, Completed],
        "Untaken" => [Requested, Attached, ShimUp, Completed, Untaken],
        "Lost" => [Requested, Attached, ShimUp, Completed, Lost],
        "Stopping" => [Requested, Attached, ShimUp, Completed, StopRequested],
        "Stopped" => [Requested, Attached, ShimUp, Completed, StopRequested, StopCompleted],
        "Removing" => [Requested, Attached, ShimUp, Completed, RemoveRequested],
        "Failed" => [Requested, Attached, Failed],
        "Removed" => [Requested, Attached, ShimUp, Completed, RemoveRequested, Removed],
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, null),
    };

    public static SandboxState After(params IEnumerable<IDomainEvent> events) => After(Options, events);

    public static SandboxState After(SandboxOptions options, IEnumerable<IDomainEvent> events) =>
        events.Aggregate(SandboxState.New(Space, options), (state, recorded) => state.Apply(recorded));
}
