using System.Text.Json.Serialization;

namespace Runtime.Oci.Registry;

/// <summary>What a token server answers (distribution, spec/auth/token.md and oauth.md).</summary>
internal sealed record TokenReply
{
    [JsonPropertyName("token")]
    public string? Token { get; init; }

    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    /// <summary>Seconds; 60 where nothing is said.</summary>
    [JsonPropertyName("expires_in")]
    public long? ExpiresIn { get; init; }

    public override string ToString() => nameof(TokenReply);
}

/// <summary>What a registry answers to a request that it refuses (distribution spec 1.1, "Error codes").</summary>
internal sealed record ErrorReply
{
    [JsonPropertyName("errors")]
    public ErrorEntry[]? Errors { get; init; }

    /// <summary>Of token servers.</summary>
    [JsonPropertyName("details")]
    public string? Details { get; init; }
}

internal sealed record ErrorEntry
{
    [JsonPropertyName("code")]
    public string? Code { get; init; }

    [JsonPropertyName("message")]
    public string? Message { get; init; }
}

[JsonSourceGenerationOptions(MaxDepth = 16)]
[JsonSerializable(typeof(TokenReply))]
[JsonSerializable(typeof(ErrorReply))]
internal sealed partial class RegistryJson : JsonSerializerContext;
