using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Runtime.Api.Edge;

/// <summary>How the daemon's sockets speak: HTTP/2 without TLS, as every gRPC client on a unix socket expects.</summary>
public static class GrpcListener
{
    /// <summary>Listens on a unix socket. The file must not exist, its directory must.</summary>
    public static void ListenActord(this KestrelServerOptions kestrel, string socketPath)
    {
        kestrel.AddServerHeader = false;
        // gRPC bounds its own messages; a pull or an import may send for as long as it takes.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.RequestHeaderEncodingSelector = static name =>
            name is ":authority" or "Host" ? AuthorityEncoding.Instance : null;
        kestrel.ListenUnixSocket(socketPath, listen => listen.Protocols = HttpProtocols.Http2);
    }
}
