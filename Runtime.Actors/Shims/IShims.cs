using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.Shims;

/// <summary>Finds, starts and reaches shims (shim v2 protocol). All calls are idempotent.</summary>
/// <remarks>
/// A shim serves a pod: its group id is the sandbox id. The connection to a shim is shared by all that use it and made
/// again when it breaks; a shim that is dead answers every call with a fault of kind Unavailable and code <c>shim.dead</c>.
/// </remarks>
public interface IShims
{
    /// <summary>
    /// Starts the pod's shim in <paramref name="start"/>'s bundle, or joins the one that runs: <c>start</c> of the shim
    /// binary. The bundle's directory and config.json must exist.
    /// </summary>
    Task<IShim> StartAsync(ShimStart start, CancellationToken cancellation);

    /// <summary>Reaches the shim of a bundle again, after a restart of the daemon.</summary>
    /// <exception cref="FaultException">Unavailable, <c>shim.dead</c>: nobody answers on its socket.</exception>
    Task<IShim> ConnectAsync(NamespaceName space, string id, CancellationToken cancellation);

    /// <summary>
    /// <c>delete</c> of the shim binary, for a shim that is dead: kills what is left, unmounts, removes the OCI state and
    /// the bundle. Done when nothing is left, also if nothing was there.
    /// </summary>
    Task CleanUpAsync(NamespaceName space, string id, CancellationToken cancellation);

    /// <summary>Removes the bundle of a task that its shim has deleted.</summary>
    /// <param name="hasShimEnded">The shim served no other, and has gone with it.</param>
    void Forget(NamespaceName space, string id, bool hasShimEnded);
}

/// <summary>What the shim binary's <c>start</c> needs.</summary>
/// <param name="Id">Container or sandbox id: the bundle's name.</param>
/// <param name="GroupId">The sandbox whose shim is shared.</param>
/// <param name="RuntimeType"><c>io.containerd.runc.v2</c> and the like; resolves to a binary.</param>
/// <param name="Options">Options of the OCI runtime.</param>
public sealed record ShimStart(NamespaceName Space, string Id, string GroupId, string RuntimeType, RuncOptions Options)
{
    /// <summary>In the place of <see cref="Options"/>; null: those.</summary>
    public ShimOptionsGiven? Given { get; init; }
}

/// <summary>Options as a client gave them, of whatever runtime. runc's are completed by what this daemon has for all its tasks.</summary>
/// <param name="Value">Null for none.</param>
public sealed record ShimOptionsGiven(WireAny? Value);

/// <summary><c>containerd.runc.v1.Options</c>, as the configuration's runtime table has them.</summary>
public sealed record RuncOptions
{
    /// <summary>The OCI runtime: a name on PATH or a path; empty for runc.</summary>
    public string BinaryName { get; init; } = "";

    /// <summary>State directory of the OCI runtime; empty for the default under the state directory.</summary>
    public string Root { get; init; } = "";

    public bool SystemdCgroup { get; init; }

    public bool NoPivotRoot { get; init; }

    public bool NoNewKeyring { get; init; }

    public string ShimCgroup { get; init; } = "";

    public string CriuPath { get; init; } = "";

    public uint IoUid { get; init; }

    public uint IoGid { get; init; }
}
