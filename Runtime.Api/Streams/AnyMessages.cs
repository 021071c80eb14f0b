using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Runtime.Faults;

namespace Runtime.Api.Streams;

/// <summary>Messages inside of an Any, whose type may be named with or without a host.</summary>
internal static class AnyMessages
{
    public static bool Holds<T>(this Any any, MessageParser<T> parser, out T message)
        where T : class, IMessage<T>, new()
    {
        message = null!;
        var name = any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];
        if (name != new T().Descriptor.FullName) return false;
        try
        {
            message = parser.ParseFrom(any.Value);
            return true;
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new FaultException(FaultKind.InvalidArgument, "message.malformed", $"{name} cannot be read: {malformed.Message}", malformed);
        }
    }
}
