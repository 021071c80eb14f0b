using System.Net.Sockets;
using Grpc.Core;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.Mapping;
using Runtime.Cri.Streaming;
using Runtime.Cri.V1;
using Runtime.Faults;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Channels of one WebSocket are numbered in a byte, two for each port.</summary>
    private const int ForwardPortsMax = 127;

    /// <summary>Answers a URL. The ports come with the client's streams; those of the request are for clients without streams.</summary>
    public override Task<PortForwardResponse> PortForward(PortForwardRequest request, ServerCallContext context)
    {
        RequestCheck.InRange(request.Port.Count, 0, ForwardPortsMax, "port");
        foreach (var port in request.Port) RequestCheck.InRange(port, 1, ushort.MaxValue, "port");
        var id = ReadySandbox(_ids.Sandbox(request.PodSandboxId)).Id;
        var ticket = new ForwardTicket([.. request.Port], (port, cancellation) => DialAsync(id, port, cancellation));
        return Task.FromResult(new PortForwardResponse { Url = streaming.Issue(ticket) });
    }

    // The pod may have stopped since the URL was given out, or since the last connection.
    private async Task<Socket> DialAsync(string sandboxId, int port, CancellationToken cancellation)
    {
        var pod = ReadySandbox(_ids.Sandbox(sandboxId));
        return await PodDialer.DialAsync(pod.NetworkNamespacePath, port, cancellation);
    }

    private static SandboxView ReadySandbox(SandboxView pod)
    {
        if (pod.Phase != SandboxPhase.Ready)
            throw new FaultException(FaultKind.FailedPrecondition, "sandbox.not-ready", $"Sandbox {pod.Id} is {pod.Phase}.");
        if (pod.NetworkNamespacePath.Length == 0 && pod.Config.Security.Network != Runtime.Actors.Sandboxes.NamespaceMode.Node)
            throw new FaultException(FaultKind.FailedPrecondition, "sandbox.no-network", $"Sandbox {pod.Id} has no network.");
        return pod;
    }
}
