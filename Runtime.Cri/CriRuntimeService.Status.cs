using Grpc.Core;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>Answered from memory: the kubelet takes a node out of service when this is slow.</summary>
    public override Task<StatusResponse> Status(StatusRequest request, ServerCallContext context)
    {
        var response = new StatusResponse
        {
            Status = new RuntimeStatus
            {
                Conditions = { new RuntimeCondition { Type = "RuntimeReady", Status = true }, NetworkReady() },
            },
            Features = new RuntimeFeatures { SupplementalGroupsPolicy = true },
        };
        response.RuntimeHandlers.Add(Describe("", options.Handlers.DefaultName));
        response.RuntimeHandlers.AddRange(options.Handlers.ByName.Keys.Select(name => Describe(name, name)));
        if (!request.Verbose) return Task.FromResult(response);
        response.Info["config"] = InfoJson.WithDefaults(options.ConfigJson,
        [
            new("rootDir", options.Directories.Root),
            new("stateDir", options.Directories.State),
            new("sandboxImage", options.SandboxImage),
            new("defaultRuntimeName", options.Handlers.DefaultName),
        ]);
        response.Info["lastCNILoadStatus"] = domain.Network.Ready ? "OK" : domain.Network.Message;
        if (domain.Network.ConfigJson.Length > 0) response.Info["cniconfig"] = domain.Network.ConfigJson;
        return Task.FromResult(response);
    }

    public override Task<RuntimeConfigResponse> RuntimeConfig(RuntimeConfigRequest request, ServerCallContext context) =>
        Task.FromResult(new RuntimeConfigResponse
        {
            Linux = new LinuxRuntimeConfiguration
            {
                CgroupDriver = options.Handlers.SystemdCgroup ? CgroupDriver.Systemd : CgroupDriver.Cgroupfs,
            },
        });

    /// <summary>The pods' addresses: for <c>conf_template</c>, and without one for nobody.</summary>
    public override Task<UpdateRuntimeConfigResponse> UpdateRuntimeConfig(
        UpdateRuntimeConfigRequest request, ServerCallContext context)
    {
        domain.PodCidrs.Apply(request.RuntimeConfig?.NetworkConfig?.PodCidr ?? "");
        return Task.FromResult(new UpdateRuntimeConfigResponse());
    }

    private RuntimeCondition NetworkReady()
    {
        var network = domain.Network;
        return network.Ready
            ? new RuntimeCondition { Type = "NetworkReady", Status = true }
            : new RuntimeCondition { Type = "NetworkReady", Reason = "NetworkPluginNotReady", Message = network.Message };
    }

    private V1.RuntimeHandler Describe(string shownAs, string name)
    {
        var features = options.Features.FeaturesOf(name);
        return new()
        {
            Name = shownAs,
            Features = new RuntimeHandlerFeatures
            {
                RecursiveReadOnlyMounts = features.RecursiveReadOnlyMounts,
                UserNamespaces = features.UserNamespaces,
            },
        };
    }
}
