using Grpc.Core;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Succeeds for a sandbox that is stopped or unknown. A half-created one has no view yet: its actor knows.</summary>
    public override async Task<StopPodSandboxResponse> StopPodSandbox(StopPodSandboxRequest request, ServerCallContext context)
    {
        var id = _ids.FindSandbox(request.PodSandboxId)?.Id ?? request.PodSandboxId;
        await edge.AskAsync<SandboxStopped>(new StopSandbox(Space, id), context.CancellationToken);
        return new StopPodSandboxResponse();
    }

    /// <summary>Succeeds for an unknown sandbox.</summary>
    public override async Task<RemovePodSandboxResponse> RemovePodSandbox(
        RemovePodSandboxRequest request, ServerCallContext context)
    {
        var id = _ids.FindSandbox(request.PodSandboxId)?.Id ?? request.PodSandboxId;
        await edge.AskAsync<SandboxRemoved>(new RemoveSandbox(Space, id), context.CancellationToken);
        return new RemovePodSandboxResponse();
    }
}
