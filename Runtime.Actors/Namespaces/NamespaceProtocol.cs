using System.Collections.Immutable;
using Runtime.Actors.Entities;

namespace Runtime.Actors.Namespaces;

/// <summary>Every command about a namespace itself. Failures answer <see cref="Rejected"/>.</summary>
public interface INamespaceCommand : IEntityCommand;

/// <summary>Makes a namespace that stays while nothing is in it; answers <see cref="NamespaceView"/>, AlreadyExists for one that was made.</summary>
public sealed record CreateNamespace(NamespaceName Space, ImmutableSortedDictionary<string, string> Labels) : INamespaceCommand
{
    public string EntityId => NamespaceView.Id;
}

/// <summary>Replaces labels, and makes the namespace where it has not been made; answers <see cref="NamespaceView"/>.</summary>
/// <param name="Names">Which labels: those that <paramref name="Labels"/> does not give are taken away. Default: all.</param>
public sealed record SetNamespaceLabels(
    NamespaceName Space, ImmutableSortedDictionary<string, string> Labels, ImmutableArray<string> Names) : INamespaceCommand
{
    public string EntityId => NamespaceView.Id;
}

/// <summary>Takes it away; answers <see cref="NamespaceDeleted"/>, NotFound for one that was not made. Whether it is empty is the caller's to see.</summary>
public sealed record DeleteNamespace(NamespaceName Space) : INamespaceCommand
{
    public string EntityId => NamespaceView.Id;
}

public sealed record NamespaceDeleted(string Name);

/// <summary>A namespace that was made by name.</summary>
public sealed record NamespaceView(string Name, ImmutableSortedDictionary<string, string> Labels)
{
    /// <summary>The one entity of its kind in its namespace.</summary>
    public const string Id = "self";
}
