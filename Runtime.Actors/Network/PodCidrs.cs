using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Actors.Network;

/// <summary>The network's configuration, made of <c>conf_template</c> when the kubelet says which addresses the pods have.</summary>
public sealed class PodCidrs(CniOptions options, CniConfigLoader loader) : IPodCidrs
{
    /// <summary>containerd's name: a node that comes from it has one file, not two.</summary>
    private const string FileName = "10-containerd-net.conflist";

    private const uint Mode = 0b110_100_100; // installers and agents read it

    private readonly Lock _gate = new();

    public void Apply(string ranges)
    {
        var cidrs = ranges.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToImmutableArray();
        var routes = cidrs.Select(RouteOf).Distinct().Order(StringComparer.Ordinal).ToImmutableArray();
        if (cidrs.IsEmpty || options.ConfTemplate.Length == 0) return;
        lock (_gate)
        {
            if (!loader.Refresh().Networks.IsEmpty) return;
            var written = CniTemplate.Render(ReadTemplate(), options.ConfTemplate, new CniTemplateData(cidrs[0], cidrs, routes));
            CniNetworkConfig.Parse(written, $"made of {options.ConfTemplate}");
            Directory.CreateDirectory(options.ConfDir);
            DurableFiles.Write(Path.Combine(options.ConfDir, FileName), Encoding.UTF8.GetBytes(written), Mode);
            loader.Refresh();
        }
    }

    private string ReadTemplate()
    {
        try
        {
            return File.ReadAllText(options.ConfTemplate);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.FailedPrecondition, "cni.invalid-template",
                $"The template of the CNI configuration cannot be read: {unreadable.Message}", unreadable);
        }
    }

    // Everywhere in the range's family. "0.0.0.0/0" sorts before "::/0", and so comes first as in containerd.
    private static string RouteOf(string cidr)
    {
        var parts = cidr.Split('/');
        if (parts is not [var address, var length] || !IPAddress.TryParse(address, out var ip)
            || !byte.TryParse(length, out var bits) || bits > (ip.AddressFamily == AddressFamily.InterNetwork ? 32 : 128))
            throw new FaultException(FaultKind.InvalidArgument, "network.invalid-cidr", $"\"{cidr}\" is no range of pod addresses (CIDR).");
        return ip.AddressFamily == AddressFamily.InterNetwork ? "0.0.0.0/0" : "::/0";
    }
}
