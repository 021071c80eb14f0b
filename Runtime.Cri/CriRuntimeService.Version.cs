using Grpc.Core;
using Runtime.Api;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>The version of the kubelet's own runtime API, which never moved.</summary>
    private const string KubeletApiVersion = "0.1.0";

    private const string CriApiVersion = "v1";

    public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context) =>
        Task.FromResult(new VersionResponse
        {
            Version = KubeletApiVersion,
            RuntimeName = ApiOptions.RuntimeName,
            RuntimeVersion = options.Version,
            RuntimeApiVersion = CriApiVersion,
        });
}
