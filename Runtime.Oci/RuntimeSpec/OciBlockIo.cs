using System.Text.Json.Serialization;

namespace Runtime.Oci.RuntimeSpec;

/// <summary><c>linux.resources.blockIO</c> (config-linux.md#block-io).</summary>
public sealed record OciBlockIo
{
    [JsonPropertyName("weight")]
    public ushort? Weight { get; init; }

    [JsonPropertyName("weightDevice")]
    public IReadOnlyList<OciWeightDevice>? WeightDevice { get; init; }

    /// <summary>Bytes per second.</summary>
    [JsonPropertyName("throttleReadBpsDevice")]
    public IReadOnlyList<OciThrottleDevice>? ThrottleReadBpsDevice { get; init; }

    [JsonPropertyName("throttleWriteBpsDevice")]
    public IReadOnlyList<OciThrottleDevice>? ThrottleWriteBpsDevice { get; init; }

    /// <summary>Operations per second.</summary>
    [JsonPropertyName("throttleReadIOPSDevice")]
    public IReadOnlyList<OciThrottleDevice>? ThrottleReadIopsDevice { get; init; }

    [JsonPropertyName("throttleWriteIOPSDevice")]
    public IReadOnlyList<OciThrottleDevice>? ThrottleWriteIopsDevice { get; init; }
}

public sealed record OciWeightDevice(
    [property: JsonPropertyName("major")] long Major,
    [property: JsonPropertyName("minor")] long Minor,
    [property: JsonPropertyName("weight")] ushort Weight);

public sealed record OciThrottleDevice(
    [property: JsonPropertyName("major")] long Major,
    [property: JsonPropertyName("minor")] long Minor,
    [property: JsonPropertyName("rate")] ulong Rate);
