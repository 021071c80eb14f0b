using System.Collections.Immutable;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>Attaches network namespaces to the node's networks, as the CNI specification (1.0) tells a runtime to.</summary>
/// <exception cref="FaultException">
/// Unavailable <c>network.not-ready</c>: no usable configuration; FailedPrecondition <c>cni.plugin-missing</c>;
/// DeadlineExceeded <c>cni.plugin-timeout</c>; Internal <c>cni.plugin-failed</c> with the plugin's own words.
/// </exception>
public interface ICniNetwork
{
    /// <summary>
    /// ADD of every configured network. What an earlier ADD left for the same container is deleted first. After a failure
    /// part of it may be attached: call <see cref="DelAsync"/>.
    /// </summary>
    Task<CniAttachment> AddAsync(CniAttach attach, CancellationToken cancellation);

    /// <summary>CHECK with the configuration and result of ADD; plugins below CNI 0.4 are not asked.</summary>
    Task CheckAsync(string containerId, string netnsPath, CancellationToken cancellation);

    /// <summary>
    /// DEL with the configuration and result of ADD, whatever has become of the configuration since. Every plugin is asked,
    /// also after one has failed; then the first failure is thrown and everything is kept for the next try. Nothing to
    /// delete is success.
    /// </summary>
    Task DelAsync(CniDetach detach, CancellationToken cancellation);
}

/// <param name="ContainerId">The sandbox id.</param>
/// <param name="Args">CNI_ARGS, in order.</param>
/// <param name="ConfDir">Of the runtime handler; empty for the node's.</param>
public sealed record CniAttach(
    string ContainerId, string NetnsPath, ImmutableArray<KeyValuePair<string, string>> Args, CniCapabilities Capabilities,
    string ConfDir = "");

/// <param name="NetnsPath">Empty when the namespace is gone.</param>
/// <param name="Attached">
/// ADD is known to have succeeded: if nothing of it is on disk any more, DEL runs with the node's present configuration.
/// </param>
public sealed record CniDetach(
    string ContainerId, string NetnsPath, ImmutableArray<KeyValuePair<string, string>> Args, bool Attached, string ConfDir = "");

/// <param name="Ips">Without prefix length; the first is the primary.</param>
/// <param name="ResultJson">The first network's result, as its last plugin wrote it.</param>
public sealed record CniAttachment(ImmutableArray<string> Ips, string ResultJson);

/// <summary>What a plugin that declares a capability gets as <c>runtimeConfig</c> (CONVENTIONS.md of the CNI project).</summary>
public sealed record CniCapabilities
{
    public static readonly CniCapabilities None = new();

    public ImmutableArray<PortMapping> PortMappings { get; init; } = [];

    public CniBandwidth? Bandwidth { get; init; }

    public DnsConfig? Dns { get; init; }

    /// <summary>Addresses to be given, <c>ADDRESS/PREFIX</c>.</summary>
    public ImmutableArray<string> Ips { get; init; } = [];

    public string Mac { get; init; } = "";

    public ImmutableArray<string> Aliases { get; init; } = [];

    public string CgroupPath { get; init; } = "";

    public ImmutableSortedDictionary<string, string> PodAnnotations { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>Limits in bits per second; 0 for none.</summary>
public sealed record CniBandwidth(ulong IngressRate, ulong EgressRate);
