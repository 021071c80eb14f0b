using System.Text;
using Runtime.Faults;

namespace Runtime.Oci.Layers;

/// <summary>What can be wrong with a layer; all are InvalidArgument, because the layer's author has to change it.</summary>
internal static class LayerFault
{
    public static FaultException Malformed(string message) => new(FaultKind.InvalidArgument, "layer.malformed", message);

    public static FaultException EscapesRoot(ReadOnlySpan<byte> name, string what) => new(
        FaultKind.InvalidArgument, "layer.escapes-root", $"The {what} '{Shown(name)}' leads out of the layer's root.");

    public static FaultException Truncated(string where) =>
        new(FaultKind.InvalidArgument, "layer.truncated", $"The layer ends inside of {where}.");

    public static FaultException TooBig(string message) => new(FaultKind.InvalidArgument, "layer.too-big", message);

    /// <summary>A name for messages: without control characters, bounded.</summary>
    public static string Shown(ReadOnlySpan<byte> name)
    {
        var text = Encoding.UTF8.GetString(name.Length > 200 ? name[..200] : name);
        return string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) + (name.Length > 200 ? "..." : "");
    }
}
