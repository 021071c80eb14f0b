using System.Globalization;
using System.Text;
using Runtime.Actors.Images;
using Runtime.Actors.Pulls;

namespace Runtime.Cri.Mapping;

/// <summary>Images and registry credentials, from CRI and back.</summary>
internal static class ImageMapping
{
    private static readonly string[] DockerHubHosts = ["docker.io", "index.docker.io", "registry-1.docker.io"];

    public static string ReferenceOf(V1.ImageSpec? image) =>
        RequestCheck.NotEmpty(RequestCheck.Present(image, "image").Image, "image.image");

    public static V1.Image ToWire(ImageSummary image)
    {
        var wire = new V1.Image { Id = image.Id, Size = (ulong)Math.Max(0, image.Size), Pinned = image.Pinned };
        wire.RepoTags.AddRange(image.RepoTags);
        wire.RepoDigests.AddRange(image.RepoDigests);
        // The kubelet's runAsNonRoot check wants exactly one of them: no user is root.
        var user = image.Defaults.User.Split(':')[0];
        if (user.Length == 0) wire.Uid = new V1.Int64Value { Value = 0 };
        else if (long.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out var uid)) wire.Uid = new V1.Int64Value { Value = uid };
        else wire.Username = user;
        return wire;
    }

    /// <summary>The credentials for a registry; null for none, and where they are meant for another registry.</summary>
    /// <param name="host">The registry of the reference that is pulled.</param>
    public static RegistryAuth? FromWire(V1.AuthConfig? auth, string host)
    {
        if (auth is null || !IsFor(auth.ServerAddress, host)) return null;
        var (username, password) = auth.Username.Length > 0 ? (auth.Username, auth.Password) : DecodedOf(auth.Auth);
        return username.Length + password.Length + auth.IdentityToken.Length + auth.RegistryToken.Length == 0
            ? null
            : new RegistryAuth(username, password, auth.IdentityToken, auth.RegistryToken, auth.ServerAddress);
    }

    // The address may be a host, or a URL such as https://index.docker.io/v1/.
    private static bool IsFor(string serverAddress, string host)
    {
        if (serverAddress.Length == 0) return true;
        var scheme = serverAddress.IndexOf("://", StringComparison.Ordinal);
        var server = scheme < 0 ? serverAddress : serverAddress[(scheme + 3)..];
        server = server.Split('/')[0];
        return string.Equals(server, host, StringComparison.OrdinalIgnoreCase) ||
            (DockerHubHosts.Contains(server, StringComparer.OrdinalIgnoreCase) && DockerHubHosts.Contains(host));
    }

    // base64 of user:password, as in Docker's config.json. Some clients pad the password with NUL.
    private static (string Username, string Password) DecodedOf(string auth)
    {
        if (auth.Length == 0) return ("", "");
        var bytes = new byte[auth.Length];
        if (!Convert.TryFromBase64String(auth, bytes, out var length)) throw Malformed();
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 ? (text[..colon], text[(colon + 1)..].TrimEnd('\0')) : throw Malformed();
    }

    // Says nothing of the value: it is a secret.
    private static Runtime.Faults.FaultException Malformed() =>
        new(Runtime.Faults.FaultKind.InvalidArgument, "request.invalid-field", "auth.auth is not base64 of user:password.");
}
