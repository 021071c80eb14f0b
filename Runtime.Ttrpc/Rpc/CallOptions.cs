namespace Runtime.Ttrpc.Rpc;

/// <summary>What every call to a shim carries.</summary>
/// <param name="Namespace">containerd's namespace.</param>
/// <param name="Timeout">Null for calls that wait as long as it takes.</param>
public readonly record struct CallOptions(string Namespace, TimeSpan? Timeout = null);
