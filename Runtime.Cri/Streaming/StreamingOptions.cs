namespace Runtime.Cri.Streaming;

/// <summary>Where and how exec, attach and port-forward are served.</summary>
public sealed record StreamingOptions
{
    /// <summary>An IP address. Loopback is enough for the kubelet, which stands between the runtime and the API server.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>0: any free port.</summary>
    public int Port { get; init; }

    /// <summary>A connection without a byte in either direction for this long is closed; zero or less for never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(4);

    public bool Tls { get; init; }

    /// <summary>PEM file; empty with <see cref="Tls"/>: a certificate is made at each start.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>PEM file of the certificate's key.</summary>
    public string KeyFile { get; init; } = "";
}
