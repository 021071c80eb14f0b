using Runtime.Actors.Namespaces;
using Runtime.Actors.Ports;

namespace Runtime.Api.Services;

/// <summary>The OCI runtime spec of a bundle, byte for byte as the OCI runtime reads it.</summary>
public static class BundleSpec
{
    /// <summary>Null when there is no bundle (any more): before start and after removal.</summary>
    public static async Task<byte[]?> ReadAsync(
        DirectoryLayout directories, NamespaceName space, string id, CancellationToken cancellation)
    {
        try
        {
            return await File.ReadAllBytesAsync(Path.Combine(directories.Bundle(space.Value, id), "config.json"), cancellation);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
