using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Api.Edge;

/// <summary>Image references as people write them, in the form that the store keeps.</summary>
public static class ImageNames
{
    /// <summary>Fills in what a short name leaves out: <c>busybox</c> is <c>docker.io/library/busybox:latest</c>.</summary>
    /// <exception cref="FaultException">InvalidArgument when it is no reference.</exception>
    public static string Normalise(string reference) => ImageReference.Parse(reference).ToString();

    /// <summary>Null when it is no reference.</summary>
    public static string? TryNormalise(string reference) =>
        ImageReference.TryParse(reference, out var parsed) ? parsed.ToString() : null;
}
