using System.Collections.Immutable;
using System.Net.Sockets;
using Runtime.Actors.Tasks;

namespace Runtime.Cri.Streaming;

/// <summary>What the holder of a token may do, once.</summary>
internal abstract record StreamTicket
{
    /// <summary>First part of the URL's path.</summary>
    public abstract string Path { get; }
}

/// <summary>An exec or an attach.</summary>
/// <param name="Open">Starts the command, or attaches. Fails with a FaultException.</param>
internal sealed record CommandTicket(
    bool IsExec, bool Stdin, bool Stdout, bool Stderr, bool Terminal, Func<CancellationToken, Task<IProcessSession>> Open)
    : StreamTicket
{
    /// <summary>
    /// An attach is over with its input: so a client leaves a container that keeps its stdin open (ctrl-p ctrl-q of crictl),
    /// as it does under containerd.
    /// </summary>
    public bool EndsWithStdin { get; init; }

    public override string Path => IsExec ? "exec" : "attach";
}

/// <param name="Ports">Of the request: only the channel protocols of WebSocket need them ahead.</param>
/// <param name="Dial">Connects to a port of the pod. Fails with a FaultException.</param>
internal sealed record ForwardTicket(ImmutableArray<int> Ports, Func<int, CancellationToken, Task<Socket>> Dial) : StreamTicket
{
    public override string Path => "portforward";
}
