namespace Runtime.Cri.Streaming;

/// <summary>The client's ends of one exec or attach, whatever carries them.</summary>
/// <param name="Error">Where the outcome goes.</param>
/// <param name="Resize">Completes with the stream of terminal sizes; never, where the client opens none. Null without a terminal.</param>
internal sealed record CommandStreams(
    ClientStream Error, ClientStream? Stdin, ClientStream? Stdout, ClientStream? Stderr, Task<ClientStream>? Resize);
