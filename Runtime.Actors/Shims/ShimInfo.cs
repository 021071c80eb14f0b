namespace Runtime.Actors.Shims;

/// <inheritdoc/>
public sealed class ShimInfo(ShimOptions options) : IShimInfo
{
    private const string DefaultType = "io.containerd.runc.v2";

    /// <summary>Sized for a cold start of the shim and of the OCI runtime that it asks.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ShimBinaries _binaries = new(options.BinaryDirectory);

    public Task<byte[]> AskAsync(string runtimeType, byte[] runtimeOptions, CancellationToken cancellation)
    {
        var binary = _binaries.Resolve(runtimeType.Length > 0 ? runtimeType : DefaultType);
        return new ShimCommand(options, binary, "default", "info", "/").RunAsync("-info", runtimeOptions, Limit, cancellation);
    }
}
