using Grpc.Core;

namespace Runtime.Api.Edge;

/// <summary>The lease that holds what a call makes: a header, as containerd's clients send it.</summary>
public static class LeaseHeader
{
    public const string Name = "containerd-lease";

    /// <summary>Null for none.</summary>
    public static string? Of(ServerCallContext context) => context.RequestHeaders.GetValue(Name) is { Length: > 0 } id ? id : null;
}
