namespace Runtime.Oci.Registry;

/// <summary>
/// How a caller proves who it is, for one pull; CRI's AuthConfig. It is sent to the registry of the reference (hosts.toml's
/// <c>server</c>) and never to a mirror, unless <see cref="ServerAddress"/> names that mirror. ToString shows no secret.
/// </summary>
public sealed record RegistryCredential
{
    public string Username { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>A refresh token, exchanged for an access token at the registry's token server.</summary>
    public string IdentityToken { get; init; } = "";

    /// <summary>An access token, sent to the registry as it is.</summary>
    public string RegistryToken { get; init; } = "";

    /// <summary>URL or <c>host[:port]</c> that this is for; empty for the reference's registry.</summary>
    public string ServerAddress { get; init; } = "";

    /// <summary>True when there is a user name with a password, or a token.</summary>
    public bool IsGiven => Username.Length > 0 || IdentityToken.Length > 0 || RegistryToken.Length > 0;

    internal bool HasPassword => Username.Length > 0 && Password.Length > 0;

    public override string ToString() =>
        $"RegistryCredential {{ Username = {Username}, ServerAddress = {ServerAddress} }}";
}
