using System.Text.Json.Nodes;

namespace Runtime.Actors.Network;

/// <summary>The pod network's readiness, from what the loader has read last.</summary>
public sealed class NetworkStatus(CniConfigLoader loader, CniOptions options) : INetworkStatus
{
    public bool Ready => loader.Current.Fault is null;

    public string Message => loader.Current.Fault?.Message ?? "";

    /// <summary>In the form in which containerd shows it, because tools read it.</summary>
    public string ConfigJson
    {
        get
        {
            var networks = loader.Current.Networks.Select((network, index) => (JsonNode)new JsonObject
            {
                ["Config"] = new JsonObject
                {
                    ["Name"] = network.Name,
                    ["CNIVersion"] = network.CniVersion,
                    ["Plugins"] = new JsonArray([.. network.Plugins.Select(Plugin)]),
                    ["Source"] = network.Json,
                },
                ["IFName"] = $"eth{index}",
            });
            return new JsonObject
            {
                ["PluginDirs"] = new JsonArray([.. options.BinDirs.Select(directory => (JsonNode)directory)]),
                ["PluginConfDir"] = options.ConfDir,
                ["PluginMaxConfNum"] = options.MaxConfNum,
                ["Prefix"] = "eth",
                ["Networks"] = new JsonArray([.. networks]),
            }.ToJsonString();
        }
    }

    private static JsonNode Plugin(CniPluginConfig plugin) =>
        new JsonObject { ["Network"] = new JsonObject { ["type"] = plugin.Type }, ["Source"] = plugin.Json };
}
