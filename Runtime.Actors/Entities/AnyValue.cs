namespace Runtime.Actors.Entities;

/// <summary>A protobuf Any that belongs to a client: kept byte for byte, and never looked into.</summary>
/// <param name="TypeUrl">With or without a host, as it came.</param>
public sealed record AnyValue(string TypeUrl, byte[] Value);
