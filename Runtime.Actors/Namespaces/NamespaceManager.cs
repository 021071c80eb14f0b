using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors.Entities;

namespace Runtime.Actors.Namespaces;

/// <summary>
/// The one address for every command about something in a namespace. A namespace comes into being with its first
/// command, as in containerd. Parent: the system, under <c>/user/namespaces</c>.
/// </summary>
public sealed class NamespaceManager : UntypedActor
{
    public const string Name = "namespaces";

    private readonly ImmutableArray<NamespaceSlice> _slices;

    /// <param name="slices">What every namespace holds.</param>
    /// <param name="known">Namespaces of the journal, brought back at once so that their entities recover.</param>
    public NamespaceManager(ImmutableArray<NamespaceSlice> slices, ImmutableArray<NamespaceName> known)
    {
        _slices = slices;
        foreach (var space in known) Find(space);
    }

    public static Props Props(ImmutableArray<NamespaceSlice> slices, ImmutableArray<NamespaceName> known) =>
        Akka.Actor.Props.Create(() => new NamespaceManager(slices, known));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IEntityCommand command:
                Find(command.Space).Forward(command);
                break;
            case AwaitSliceRecovery wait:
                Find(wait.Space).Forward(wait);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private IActorRef Find(NamespaceName space)
    {
        var child = Context.Child(space.Value);
        return child.IsNobody() ? Context.ActorOf(NamespaceActor.Props(space, _slices), space.Value) : child;
    }
}
