using Containerd.Services.Version.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Runtime.Api.Services;

/// <summary>containerd.services.version.v1.</summary>
public sealed class VersionService(ApiOptions options) : Containerd.Services.Version.V1.Version.VersionBase
{
    public override Task<VersionResponse> Version(Empty request, ServerCallContext context) =>
        Task.FromResult(new VersionResponse { Version = options.Version, Revision = options.Revision });
}
