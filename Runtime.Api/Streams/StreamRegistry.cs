using System.Collections.Concurrent;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Api.Streams;

/// <summary>Streams that clients have opened, by the ids that they gave. Each is there for as long as its call. Thread-safe.</summary>
public sealed class StreamRegistry
{
    private readonly ConcurrentDictionary<(NamespaceName Space, string Id), ClientStream> _streams = [];

    /// <exception cref="FaultException">AlreadyExists for an id in use.</exception>
    public void Add(NamespaceName space, string id, ClientStream stream)
    {
        if (!_streams.TryAdd((space, id), stream))
            throw new FaultException(FaultKind.AlreadyExists, "stream.exists", $"stream \"{id}\": already exists");
    }

    public void Remove(NamespaceName space, string id) => _streams.TryRemove((space, id), out _);

    /// <exception cref="FaultException">NotFound.</exception>
    public ClientStream Get(NamespaceName space, string id) => _streams.GetValueOrDefault((space, id))
        ?? throw new FaultException(FaultKind.NotFound, "stream.not-found", $"stream \"{id}\": not found");
}
