using Containerd.Types;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Api.Services;

/// <summary>Descriptors as containerd's messages have them.</summary>
internal static class DescriptorMessages
{
    public static ContentDescriptor Of(Descriptor descriptor)
    {
        var message = new ContentDescriptor
        {
            MediaType = descriptor.MediaType,
            Digest = descriptor.Digest.ToString(),
            Size = descriptor.Size,
        };
        if (descriptor.Annotations is { } annotations) message.Annotations.Add(annotations);
        return message;
    }

    /// <exception cref="FaultException">InvalidArgument for one that is missing or has no digest.</exception>
    public static Descriptor Parse(ContentDescriptor? message) => message is null
        ? throw new FaultException(FaultKind.InvalidArgument, "descriptor.missing", "The descriptor is missing.")
        : new Descriptor { MediaType = message.MediaType, Digest = Digest.Parse(message.Digest), Size = message.Size };
}
