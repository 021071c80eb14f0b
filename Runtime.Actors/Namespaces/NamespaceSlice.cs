using Akka.Actor;

namespace Runtime.Actors.Namespaces;

/// <summary>One kind of entity that every namespace holds: how its commands are told apart, and who manages it.</summary>
/// <param name="Name">The manager's actor name, plural: <c>containers</c>.</param>
/// <param name="Accepts">The marker interface of the slice's commands, for example <c>IContainerCommand</c>.</param>
/// <param name="Props">The manager for one namespace.</param>
public sealed record NamespaceSlice(string Name, Type Accepts, Func<NamespaceName, Props> Props);
