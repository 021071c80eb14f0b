using Grpc.Core;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>A retry for the same pod and attempt joins the first call, or takes the sandbox that it left behind.</summary>
    public override async Task<RunPodSandboxResponse> RunPodSandbox(RunPodSandboxRequest request, ServerCallContext context)
    {
        var config = SandboxMapping.FromWire(request.Config, request.RuntimeHandler);
        options.Handlers.Resolve(config.RuntimeHandler);
        var run = new RunSandbox(Space, CriIds.New(), config) { Caller = context.CancellationToken };
        var started = await edge.AskAsync<SandboxStarted>(run, context.CancellationToken);
        return new RunPodSandboxResponse { PodSandboxId = started.SandboxId };
    }
}
