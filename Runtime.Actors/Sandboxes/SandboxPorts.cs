using Runtime.Actors.Network;
using Runtime.Actors.Shims;

namespace Runtime.Actors.Sandboxes;

/// <summary>The outside of sandboxes.</summary>
public sealed record SandboxPorts(IShims Shims, ICniNetwork Network, ISandboxResources Resources, IPauseContainers Pauses, ISandboxVolumes Volumes);
