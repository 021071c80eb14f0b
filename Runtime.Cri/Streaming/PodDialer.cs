using System.Net;
using System.Net.Sockets;
using Runtime.Faults;
using Runtime.Linux.Namespaces;

namespace Runtime.Cri.Streaming;

/// <summary>Connects to "localhost" as a pod sees it: IPv4, then IPv6.</summary>
internal static class PodDialer
{
    /// <summary>On loopback a connection is accepted or refused at once; a full backlog lets it wait.</summary>
    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(10);

    /// <param name="networkNamespace">A pinned network namespace; empty for the host's.</param>
    /// <exception cref="FaultException">Unavailable: nobody listens there.</exception>
    public static async Task<Socket> DialAsync(string networkNamespace, int port, CancellationToken cancellation)
    {
        try
        {
            return await ConnectAsync(networkNamespace, IPAddress.Loopback, port, cancellation);
        }
        catch (SocketException refused)
        {
            try
            {
                return await ConnectAsync(networkNamespace, IPAddress.IPv6Loopback, port, cancellation);
            }
            catch (SocketException alsoRefused)
            {
                throw new FaultException(FaultKind.Unavailable, "portforward.refused",
                    $"failed to connect to localhost:{port} inside the pod: IPv4: {refused.Message}; IPv6: {alsoRefused.Message}");
            }
        }
    }

    private static async Task<Socket> ConnectAsync(
        string networkNamespace, IPAddress address, int port, CancellationToken cancellation)
    {
        // A socket belongs to the namespace that it was made in, whatever thread uses it later.
        var socket = networkNamespace.Length == 0
            ? Open(address)
            : await NamespacePin.RunAsync(NamespaceKind.Network, networkNamespace, () => Open(address));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(ConnectMax);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), limit.Token);
            return socket;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket Open(IPAddress address) =>
        new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
}
