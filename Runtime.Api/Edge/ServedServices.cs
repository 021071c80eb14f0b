using System.Collections.Immutable;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Routing;

namespace Runtime.Api.Edge;

/// <summary>The gRPC services that this daemon serves, by their full names. Known once all are mapped: with the first call.</summary>
public sealed class ServedServices(EndpointDataSource endpoints)
{
    private readonly Lazy<ImmutableSortedSet<string>> _names = new(() => endpoints.Endpoints
        .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.ServiceName)
        .OfType<string>()
        .ToImmutableSortedSet(StringComparer.Ordinal));

    public ImmutableSortedSet<string> Names => _names.Value;
}
