using System.Collections.Immutable;
using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Entities;

/// <summary>
/// What queries are answered from: an immutable map per namespace, replaced on each change. A List over thousands of
/// entities costs no message, and who has the reply to a command sees its outcome here.
/// </summary>
public sealed class ReadModel<TView>
    where TView : class
{
    private ImmutableDictionary<NamespaceName, ImmutableDictionary<string, TView>> _namespaces =
        ImmutableDictionary<NamespaceName, ImmutableDictionary<string, TView>>.Empty;

    public ImmutableDictionary<NamespaceName, ImmutableDictionary<string, TView>> All => Volatile.Read(ref _namespaces);

    public ImmutableDictionary<string, TView> In(NamespaceName space) =>
        All.GetValueOrDefault(space, ImmutableDictionary<string, TView>.Empty);

    public TView? Find(NamespaceName space, string id) => In(space).GetValueOrDefault(id);

    /// <summary>Called by the entity's own actor only; null removes it.</summary>
    public void Set(NamespaceName space, string id, TView? view) =>
        ImmutableInterlocked.Update(
            ref _namespaces,
            static (all, change) =>
            {
                var inside = all.GetValueOrDefault(change.space, ImmutableDictionary<string, TView>.Empty);
                inside = change.view is null ? inside.Remove(change.id) : inside.SetItem(change.id, change.view);
                return inside.IsEmpty ? all.Remove(change.space) : all.SetItem(change.space, inside);
            },
            (space, id, view));
}
