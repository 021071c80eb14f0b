using System.Globalization;
using Runtime.Faults;

namespace Runtime.Ttrpc.Actord;

/// <summary>
/// A stdout or stderr that the shim writes itself, in the kubelet's log format:
/// <c>cri:///abs/path?max-line=16384&amp;max-size=16777216&amp;tty=0</c>. Stdout and stderr with the same path share one file.
/// </summary>
/// <param name="Path">Absolute.</param>
/// <param name="MaxLineBytes">A longer line is split into entries marked P, the last one F. 0: not split.</param>
/// <param name="MaxSizeBytes">
/// At this size the shim moves the file to <c>PATH.old</c> itself: a guard for when nobody rotates. 0: no guard.
/// </param>
/// <param name="IsTerminal">Everything is stdout.</param>
public sealed record CriLogUri(string Path, int MaxLineBytes = CriLogUri.DefaultMaxLineBytes, long MaxSizeBytes = 0, bool IsTerminal = false)
{
    public const string Scheme = "cri://";

    /// <summary>As containerd's <c>max_container_log_line_size</c>.</summary>
    public const int DefaultMaxLineBytes = 16 * 1024;

    public static bool IsCriLog(string uri) => uri.StartsWith(Scheme, StringComparison.Ordinal);

    /// <exception cref="FaultException">InvalidArgument, <c>log.bad-uri</c>.</exception>
    public static CriLogUri Parse(string uri)
    {
        if (!IsCriLog(uri))
            throw Bad(uri, $"it does not start with {Scheme}");
        var query = uri.IndexOf('?', StringComparison.Ordinal);
        var path = Uri.UnescapeDataString(query < 0 ? uri[Scheme.Length..] : uri[Scheme.Length..query]);
        if (!path.StartsWith('/') || path.Contains('\0'))
            throw Bad(uri, "its path is not absolute");
        var log = new CriLogUri(path);
        foreach (var pair in query < 0 ? [] : uri[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (pair, "") : (pair[..equals], pair[(equals + 1)..]);
            log = name switch
            {
                "max-line" => log with { MaxLineBytes = (int)Number(uri, name, value, int.MaxValue) },
                "max-size" => log with { MaxSizeBytes = Number(uri, name, value, long.MaxValue) },
                "tty" => log with { IsTerminal = value is "1" or "true" },
                _ => log, // of a newer daemon
            };
        }
        return log;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Scheme}{Uri.EscapeDataString(Path).Replace("%2F", "/", StringComparison.Ordinal)}?max-line={MaxLineBytes}&max-size={MaxSizeBytes}&tty={(IsTerminal ? 1 : 0)}");

    private static long Number(string uri, string name, string value, long max) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max
            ? number
            : throw Bad(uri, $"{name} is no number");

    private static FaultException Bad(string uri, string why) =>
        new(FaultKind.InvalidArgument, "log.bad-uri", $"The log URI {uri} is not valid: {why}.");
}
