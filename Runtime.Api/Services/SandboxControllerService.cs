using Containerd.Services.Sandbox.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Runtime.Actors;
using Runtime.Actors.Entities;
using Runtime.Actors.Sandboxes;
using Runtime.Api.Edge;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>
/// containerd.services.sandbox.v1, Controller, over the pods' sandboxes (containerd's controller <c>podsandbox</c>). They are made
/// and started through CRI, whose request says more than this one can.
/// </summary>
public sealed class SandboxControllerService(RuntimeDomain domain, ActorEdge edge, TimeProvider clock, IHostApplicationLifetime lifetime)
    : Controller.ControllerBase
{
    public override Task<ControllerCreateResponse> Create(ControllerCreateRequest request, ServerCallContext context) =>
        throw ThroughCri(request.SandboxId);

    public override Task<ControllerStartResponse> Start(ControllerStartRequest request, ServerCallContext context)
    {
        var view = Find(context, request.SandboxId, request.Sandboxer);
        return view.Phase is SandboxPhase.Ready
            ? throw new FaultException(FaultKind.AlreadyExists, "sandbox.running", $"sandbox \"{view.Id}\" runs: already exists")
            : throw ThroughCri(view.Id);
    }

    public override Task<ControllerPlatformResponse> Platform(ControllerPlatformRequest request, ServerCallContext context)
    {
        Find(context, request.SandboxId, request.Sandboxer);
        var host = Oci.Images.Platform.Host;
        return Task.FromResult(new ControllerPlatformResponse
        {
            Platform = new() { Os = host.Os, Architecture = host.Architecture, Variant = host.Variant ?? "" },
        });
    }

    public override async Task<ControllerStopResponse> Stop(ControllerStopRequest request, ServerCallContext context)
    {
        var view = Find(context, request.SandboxId, request.Sandboxer);
        await edge.AskAsync<SandboxStopped>(new StopSandbox(NamespaceHeader.Of(context), view.Id), context.CancellationToken);
        return new ControllerStopResponse();
    }

    public override async Task<ControllerWaitResponse> Wait(ControllerWaitRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        using var ending = StreamEnd.Of(context, lifetime);
        // Subscribed before it looks, so that an end in between is not missed.
        using var changes = domain.Changes.Subscribe(change => change.Space == space && change.EntityId == request.SandboxId
            && change.After is null or SandboxView { Phase: not SandboxPhase.Ready } ? [change.At] : Array.Empty<DateTimeOffset>());
        var view = Find(context, request.SandboxId, request.Sandboxer);
        var ended = view.Phase is SandboxPhase.Ready ? default : clock.GetUtcNow();
        if (ended == default) await ending.GuardAsync(async () => ended = await FirstAsync(changes, ending.Token));
        return new ControllerWaitResponse { ExitedAt = Timestamp.FromDateTimeOffset(ended) };
    }

    public override Task<ControllerStatusResponse> Status(ControllerStatusRequest request, ServerCallContext context)
    {
        var view = Find(context, request.SandboxId, request.Sandboxer);
        return Task.FromResult(new ControllerStatusResponse
        {
            SandboxId = view.Id,
            Pid = view.Pid,
            State = view.Phase is SandboxPhase.Ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY",
            CreatedAt = Timestamp.FromDateTimeOffset(view.CreatedAt),
        });
    }

    public override async Task<ControllerShutdownResponse> Shutdown(ControllerShutdownRequest request, ServerCallContext context)
    {
        var view = Find(context, request.SandboxId, request.Sandboxer);
        await edge.AskAsync<SandboxRemoved>(new RemoveSandbox(NamespaceHeader.Of(context), view.Id), context.CancellationToken);
        return new ControllerShutdownResponse();
    }

    private SandboxView Find(ServerCallContext context, string id, string sandboxer)
    {
        if (sandboxer.Length > 0 && sandboxer != SandboxMessages.PodSandboxer)
            throw new FaultException(FaultKind.NotFound, "sandbox.no-controller", $"sandbox controller \"{sandboxer}\": not found");
        return domain.Sandboxes.Find(NamespaceHeader.Of(context), id)
            ?? throw new FaultException(FaultKind.NotFound, "sandbox.not-found", $"sandbox \"{id}\": not found");
    }

    private static async Task<DateTimeOffset> FirstAsync(EntityChanges.Subscription<DateTimeOffset> changes, CancellationToken cancellation)
    {
        await foreach (var at in changes.ReadAsync(cancellation)) return at;
        throw new System.Diagnostics.UnreachableException();
    }

    private static FaultException ThroughCri(string id) => new(FaultKind.Unimplemented, "sandbox.through-cri",
        $"sandbox \"{id}\": pods are made and started through CRI.");
}
