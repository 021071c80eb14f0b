using System.Collections.Immutable;
using Runtime.Faults;

namespace Runtime.Oci.Registry;

/// <summary>
/// Finds the hosts of a registry below containerd's <c>config_path</c>. In each directory the first of <c>host_port_</c>,
/// <c>host:port</c> and <c>_default</c> that exists is taken; in it, <c>hosts.toml</c>, or else certificates as Docker names
/// them: <c>*.crt</c> are authorities, <c>*.cert</c> with <c>*.key</c> clients.
/// </summary>
public static class HostsDirectory
{
    /// <summary>A file larger than this is not one that a person wrote.</summary>
    private const int MaxFileBytes = 1024 * 1024;

    /// <param name="configPath">Directories, separated by colons; empty for none.</param>
    /// <returns>In the order of trial; the registry itself is the last.</returns>
    /// <exception cref="FaultException">FailedPrecondition <c>registry.config</c>, naming the file.</exception>
    public static ImmutableArray<RegistryHost> Find(string configPath, string domain)
    {
        var directory = configPath.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(root => Names(domain).Select(name => Path.Combine(root, name)))
            .FirstOrDefault(Directory.Exists);
        if (directory is null) return [RegistryHost.DefaultFor(domain)];
        try
        {
            var file = new FileInfo(Path.Combine(directory, "hosts.toml"));
            if (!file.Exists) return [RegistryHost.DefaultFor(domain) with { Tls = DockerStyle(directory) }];
            if (file.Length > MaxFileBytes) throw Unusable(file.FullName, $"it has more than {MaxFileBytes} bytes", null);
            return HostsFile.Parse(File.ReadAllText(file.FullName), domain, directory);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Unusable(directory, problem.Message, problem);
        }
    }

    private static IEnumerable<string> Names(string domain)
    {
        // A colon cannot be in a name that Kubernetes mounts, hence the first form.
        if (domain.LastIndexOf(':') is > 0 and var colon && domain.IndexOf(']', colon) < 0)
            yield return $"{domain[..colon]}_{domain[(colon + 1)..]}_";
        yield return domain;
        yield return "_default";
    }

    private static HostTls DockerStyle(string directory)
    {
        var files = Directory.GetFiles(directory).Order(StringComparer.Ordinal).ToList();
        var clients = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (var certificate in files.Where(file => file.EndsWith(".cert", StringComparison.Ordinal)))
        {
            var key = Path.ChangeExtension(certificate, ".key");
            if (!files.Contains(key)) throw Unusable(certificate, $"its key {key} is missing", null);
            clients.Add((certificate, key));
        }
        return new HostTls(
            [.. files.Where(file => file.EndsWith(".crt", StringComparison.Ordinal))], clients.ToImmutable(), SkipVerify: false);
    }

    private static FaultException Unusable(string path, string why, Exception? cause) =>
        new(FaultKind.FailedPrecondition, "registry.config", $"{path} cannot be used: {why}.", cause);
}
