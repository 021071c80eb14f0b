using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Entities;

/// <summary>A message for one entity. The namespace and the slice's manager route on it.</summary>
public interface IEntityCommand
{
    NamespaceName Space { get; }

    /// <summary>The entity's id within its slice and namespace.</summary>
    string EntityId { get; }
}
