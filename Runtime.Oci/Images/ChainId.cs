using System.Collections.Immutable;
using System.Text;

namespace Runtime.Oci.Images;

/// <summary>
/// Names a stack of applied layers (OCI image spec 1.1, config.md, "Layer ChainID"): the first diff id, then
/// <c>sha256(chain + " " + diff id)</c> for each next layer. Snapshots are named by it.
/// </summary>
public static class ChainId
{
    /// <summary>The chain id of all layers. Empty for no layers.</summary>
    public static Digest Of(ImmutableArray<Digest> diffIds) => diffIds.IsEmpty ? default : Each(diffIds)[^1];

    /// <summary>The chain id after each layer, bottom first: <c>[n]</c> names the snapshot with layers 0 to n.</summary>
    public static ImmutableArray<Digest> Each(ImmutableArray<Digest> diffIds)
    {
        var chain = ImmutableArray.CreateBuilder<Digest>(diffIds.Length);
        foreach (var diffId in diffIds) chain.Add(chain.Count == 0 ? diffId : Next(chain[^1], diffId));
        return chain.MoveToImmutable();
    }

    private static Digest Next(Digest parent, Digest diffId) => Digest.Of(Encoding.ASCII.GetBytes($"{parent} {diffId}"));
}
