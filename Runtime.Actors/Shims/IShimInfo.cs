using Runtime.Faults;

namespace Runtime.Actors.Shims;

/// <summary>Asks shims about themselves and the OCI runtimes behind them.</summary>
public interface IShimInfo
{
    /// <summary><c>-info</c> of the shim's binary.</summary>
    /// <param name="runtimeType"><c>io.containerd.runc.v2</c> and the like, or a path; empty for runc's.</param>
    /// <param name="runtimeOptions">The runtime's options: a google.protobuf.Any, or nothing.</param>
    /// <returns>A containerd.types.RuntimeInfo.</returns>
    /// <exception cref="FaultException">NotFound for an unknown shim; Unavailable when it does not know this.</exception>
    Task<byte[]> AskAsync(string runtimeType, byte[] runtimeOptions, CancellationToken cancellation);
}
