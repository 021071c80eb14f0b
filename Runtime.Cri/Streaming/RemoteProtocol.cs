namespace Runtime.Cri.Streaming;

/// <summary>A subprotocol of exec and attach, as far as they differ.</summary>
/// <param name="Name">Empty: the client named none, which is the first version.</param>
/// <param name="StatusJson">The error stream ends with a metav1.Status; before version 4, with a sentence when it failed.</param>
/// <param name="CloseChannel">WebSocket: a message on channel 255 ends the channel that it names.</param>
/// <param name="Base64">WebSocket: text messages, channels as digits, data in base64.</param>
internal sealed record RemoteProtocol(string Name, bool StatusJson, bool CloseChannel = false, bool Base64 = false)
{
    /// <summary>Of SPDY, where each stream has its own end in every version.</summary>
    public static IReadOnlyList<RemoteProtocol> OfSpdy { get; } =
    [
        new("v5.channel.k8s.io", StatusJson: true),
        new("v4.channel.k8s.io", StatusJson: true),
        new("v3.channel.k8s.io", StatusJson: false),
        new("v2.channel.k8s.io", StatusJson: false),
        new("channel.k8s.io", StatusJson: false),
    ];

    /// <summary>Of WebSocket, for exec and attach.</summary>
    public static IReadOnlyList<RemoteProtocol> OfWebSocket { get; } =
    [
        new("v5.channel.k8s.io", StatusJson: true, CloseChannel: true),
        new("v4.channel.k8s.io", StatusJson: true),
        new("v4.base64.channel.k8s.io", StatusJson: true, Base64: true),
        new("channel.k8s.io", StatusJson: false),
        new("base64.channel.k8s.io", StatusJson: false, Base64: true),
    ];

    /// <summary>Port-forward over SPDY.</summary>
    public const string PortForward = "portforward.k8s.io";

    /// <summary>A WebSocket that carries the bytes of a SPDY connection.</summary>
    public const string TunnelledPortForward = "SPDY/3.1+portforward.k8s.io";

    /// <summary>A pair of channels for each port of the request, data and error.</summary>
    public static IReadOnlyList<RemoteProtocol> OfForwardChannels { get; } =
    [
        new("v4.channel.k8s.io", StatusJson: false),
        new("v4.base64.channel.k8s.io", StatusJson: false, Base64: true),
    ];

    private static RemoteProtocol Unnamed { get; } = new("", StatusJson: false);

    /// <summary>The first of the client's that is known; null when none is.</summary>
    public static RemoteProtocol? Choose(IReadOnlyList<RemoteProtocol> known, IReadOnlyCollection<string> asked)
    {
        if (asked.Count == 0) return Unnamed;
        foreach (var name in asked)
            if (known.FirstOrDefault(protocol => protocol.Name == name) is { } chosen) return chosen;
        return null;
    }
}
