namespace Runtime.Oci.Registry;

/// <summary>Reads a body whole, up to a limit that does not trust Content-Length.</summary>
internal static class BoundedBody
{
    /// <returns>Null when there are more than <paramref name="limit"/> bytes.</returns>
    /// <exception cref="IOException">The connection was cut.</exception>
    public static async Task<byte[]?> ReadAsync(HttpResponseMessage response, int limit, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentLength > limit) return null;
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        using var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, cancellation)) > 0;)
        {
            if (bytes.Length + read > limit) return null;
            bytes.Write(buffer, 0, read);
        }
        return bytes.ToArray();
    }
}
