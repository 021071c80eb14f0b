using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Faults;

namespace Runtime.Cri;

/// <summary>What is not there yet says so, and why: the kubelet falls back, a person knows where to look.</summary>
public sealed partial class CriRuntimeService
{
    public override Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResources(
        UpdatePodSandboxResourcesRequest request, ServerCallContext context) =>
        throw Lacking("recording the resources of a sandbox");

    private static FaultException Lacking(string what) =>
        new(FaultKind.Unimplemented, "cri.unimplemented", $"This runtime does not have {what}.");
}
