using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using Runtime.Faults;

namespace Runtime.Oci.Registry;

/// <summary>
/// Reads a <c>hosts.toml</c>, the format of containerd (docs/hosts.md): keys of the registry itself at the top, then one table
/// per mirror, in the order of trial.
/// </summary>
/// <remarks>
/// <code>
/// server = "https://registry.example"       # the registry itself; the reference's domain when left out
///
/// [host."https://mirror.example:5000"]
///   capabilities = ["pull", "resolve", "push"]
///   ca = "ca.pem" | ["a.pem", "b.pem"]       # relative to the file's directory
///   client = "both.pem" | ["both.pem"] | [["client.cert", "client.key"]]
///   skip_verify = false
///   override_path = false                    # true: no /v2 after the URL's path
///   dial_timeout = "5s"
///   [host."https://mirror.example:5000".header]
///     x-name = "value" | ["a", "b"]
/// </code>
/// </remarks>
public static class HostsFile
{
    /// <summary>Hosts of one file; each is asked when the ones before failed.</summary>
    private const int MaxHosts = 64;

    private static readonly SearchValues<char> Number = SearchValues.Create("0123456789.");

    /// <param name="domain">The registry that the directory is for.</param>
    /// <param name="directory">What relative paths are relative to.</param>
    /// <exception cref="FaultException">FailedPrecondition <c>registry.config</c>, naming the file.</exception>
    public static ImmutableArray<RegistryHost> Parse(string text, string domain, string directory)
    {
        var file = Path.Combine(directory, "hosts.toml");
        try
        {
            var root = TomlTree.Parse(text, file);
            var hosts = ImmutableArray.CreateBuilder<RegistryHost>();
            foreach (var (address, value) in Tables(root.Find("host")))
                hosts.Add(Read(Table(value, $"host.\"{address}\""), address, domain, directory, isOrigin: false));
            if (hosts.Count > MaxHosts) throw new FormatException($"more than {MaxHosts} hosts");
            hosts.Add(Origin(root, domain, directory));
            return hosts.ToImmutable();
        }
        catch (Exception problem) when (problem is FormatException or UriFormatException)
        {
            throw new FaultException(
                FaultKind.FailedPrecondition, "registry.config", $"{file} cannot be used: {problem.Message}", problem);
        }
    }

    private static RegistryHost Origin(TomlTree root, string domain, string directory) =>
        root.Find("server") is { } server && Text(server, "server") is { Length: > 0 } address
            ? Read(root, address, domain, directory, isOrigin: true)
            : Read(root, RegistryHost.DefaultFor(domain).Root.ToString(), domain, directory, isOrigin: true);

    private static RegistryHost Read(TomlTree table, string address, string domain, string directory, bool isOrigin)
    {
        var root = RegistryHost.RootOf(address, Flag(table, "override_path"));
        return new RegistryHost
        {
            Root = root,
            Domain = domain,
            // A mirror table may name the registry itself, to give it other certificates.
            IsOrigin = isOrigin || root.Authority == RegistryHost.DefaultFor(domain).Authority,
            Capabilities = Capabilities(table),
            Headers = Headers(table),
            DialTimeout = table.Find("dial_timeout") is { } timeout ? Duration(Text(timeout, "dial_timeout")) : null,
            Tls = new HostTls(
                [.. Texts(table.Find("ca"), "ca").Select(path => Path.Combine(directory, path))],
                Clients(table.Find("client"), directory),
                Flag(table, "skip_verify")),
        };
    }

    private static HostCapabilities Capabilities(TomlTree table)
    {
        var capabilities = HostCapabilities.None;
        foreach (var name in Texts(table.Find("capabilities"), "capabilities"))
        {
            capabilities |= name.ToLowerInvariant() switch
            {
                "pull" => HostCapabilities.Pull,
                "resolve" => HostCapabilities.Resolve,
                "push" => HostCapabilities.Push,
                "referrers" => HostCapabilities.None,
                _ => throw new FormatException($"capability {name} is unknown; pull, resolve and push exist"),
            };
        }
        return capabilities is HostCapabilities.None ? HostCapabilities.All : capabilities;
    }

    private static ImmutableArray<(string, string)> Headers(TomlTree table) =>
    [
        .. Tables(table.Find("header"))
            .SelectMany(header => Texts(header.Value, $"header {header.Key}").Select(value => (header.Key, value))),
    ];

    private static ImmutableArray<(string, string)> Clients(object? value, string directory)
    {
        var pairs = value is List<object> list ? list.Select(Pair) : value is null ? [] : [Pair(value)];
        return
        [
            .. pairs.Select(pair => (Path.Combine(directory, pair.Certificate),
                pair.Key.Length == 0 ? "" : Path.Combine(directory, pair.Key))),
        ];

        static (string Certificate, string Key) Pair(object item) => item switch
        {
            string both => (both, ""),
            List<object> and [string certificate] => (certificate, ""),
            List<object> and [string certificate, string key] => (certificate, key),
            _ => throw new FormatException("client is a file, a list of files, or a list of pairs of certificate and key"),
        };
    }

    private static IReadOnlyList<KeyValuePair<string, object>> Tables(object? value) =>
        value is null ? [] : Table(value, "host or header").Entries;

    private static TomlTree Table(object value, string name) =>
        value as TomlTree ?? throw new FormatException($"{name} is not a table");

    private static string Text(object value, string name) =>
        value as string ?? throw new FormatException($"{name} is not a string");

    private static IEnumerable<string> Texts(object? value, string name) => value switch
    {
        null => [],
        List<object> list => list.Select(item => Text(item, name)),
        _ => [Text(value, name)],
    };

    private static bool Flag(TomlTree table, string name) => table.Find(name) switch
    {
        null => false,
        bool flag => flag,
        _ => throw new FormatException($"{name} is neither true nor false"),
    };

    // Go's notation: 1h, 1m30s, 500ms.
    private static TimeSpan Duration(string text)
    {
        var sum = TimeSpan.Zero;
        for (var rest = text.AsSpan(); rest.Length > 0;)
        {
            var digits = rest.IndexOfAnyExcept(Number);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                throw new FormatException($"\"{text}\" is no duration such as 5s");
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9') is var next and >= 0 ? next : rest.Length;
            sum += rest[..letters] switch
            {
                "h" => TimeSpan.FromHours(number),
                "m" => TimeSpan.FromMinutes(number),
                "s" => TimeSpan.FromSeconds(number),
                "ms" => TimeSpan.FromMilliseconds(number),
                _ => throw new FormatException($"\"{text}\" is no duration such as 5s"),
            };
            rest = rest[letters..];
        }
        return sum > TimeSpan.Zero && sum < TimeSpan.FromDays(1)
            ? sum
            : throw new FormatException($"\"{text}\" is no duration between 0 and a day");
    }
}
