using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors.Entities;

namespace Runtime.Actors.Namespaces;

/// <summary>Holds the managers of one namespace, and passes each command on to its slice's. Parent: NamespaceManager.</summary>
public sealed class NamespaceActor : UntypedActor
{
    private readonly ImmutableArray<(Type Accepts, IActorRef Manager)> _slices;
    private readonly Dictionary<Type, IActorRef> _routes = [];

    public NamespaceActor(NamespaceName space, ImmutableArray<NamespaceSlice> slices) =>
        _slices = [.. slices.Select(slice => (slice.Accepts, Context.ActorOf(slice.Props(space), slice.Name)))];

    public static Props Props(NamespaceName space, ImmutableArray<NamespaceSlice> slices) =>
        Akka.Actor.Props.Create(() => new NamespaceActor(space, slices));

    protected override void OnReceive(object message)
    {
        if (message is AwaitSliceRecovery wait) PassOn(wait);
        else if (message is IEntityCommand && RouteOf(message.GetType()) is { } manager) manager.Forward(message);
        else Unhandled(message);
    }

    private void PassOn(AwaitSliceRecovery wait)
    {
        var manager = Context.Child(wait.Slice);
        if (manager.IsNobody()) Sender.Tell(EntitiesRecovered.Instance); // what is not part of this daemon has nothing to recover
        else manager.Forward(AwaitRecovery.Instance);
    }

    private IActorRef? RouteOf(Type command)
    {
        if (_routes.TryGetValue(command, out var known)) return known;
        foreach (var (accepts, manager) in _slices)
            if (accepts.IsAssignableFrom(command)) return _routes[command] = manager;
        return null;
    }
}
