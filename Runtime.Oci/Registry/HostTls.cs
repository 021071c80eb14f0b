using System.Collections.Immutable;

namespace Runtime.Oci.Registry;

/// <summary>TLS of one host; files are absolute paths.</summary>
/// <param name="Authorities">PEM files with certificate authorities, trusted beside the system's.</param>
/// <param name="Clients">Pairs of PEM files; the key is in the first one where the second is empty.</param>
/// <param name="SkipVerify">The server's certificate is not checked.</param>
public sealed record HostTls(
    ImmutableArray<string> Authorities, ImmutableArray<(string Certificate, string Key)> Clients, bool SkipVerify)
{
    public static HostTls Default { get; } = new([], [], SkipVerify: false);

    /// <summary>Differs when a setting or one of the files does, so that renewed certificates need no restart.</summary>
    internal string Fingerprint() => string.Join(
        '|', Authorities.Concat(Clients.SelectMany(client => (string[])[client.Certificate, client.Key]))
            .Select(path => path.Length == 0 ? "" : $"{path}@{File.GetLastWriteTimeUtc(path).Ticks}")
            .Append(SkipVerify ? "skip" : "verify"));
}
