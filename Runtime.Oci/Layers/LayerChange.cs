using Runtime.Linux.Files;

namespace Runtime.Oci.Layers;

/// <summary>What a layer says about one path.</summary>
/// <param name="Path">From the root, without a slash at either end.</param>
/// <param name="Status">What is there now; null: what the layers below have is deleted.</param>
internal sealed record LayerChange(byte[] Path, FileStatus? Status)
{
    /// <summary>Nothing of the layers below shows in this directory.</summary>
    public bool IsOpaque { get; init; }
}
