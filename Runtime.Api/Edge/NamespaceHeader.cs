using Grpc.Core;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>The namespace of a call to containerd's services: a header, as containerd's clients send it.</summary>
public static class NamespaceHeader
{
    public const string Name = "containerd-namespace";

    /// <exception cref="FaultException">FailedPrecondition when it is missing, InvalidArgument when it is no identifier.</exception>
    public static NamespaceName Of(ServerCallContext context) =>
        context.RequestHeaders.GetValue(Name) is { Length: > 0 } value
            ? NamespaceName.Parse(value)
            : throw new FaultException(FaultKind.FailedPrecondition, "namespace.missing",
                $"namespace is required: send the header {Name}.");
}
