using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Faults;

namespace Runtime.Actors.Namespaces;

/// <summary>One namespace that was made by name: <c>None --Create, label--> there --Delete--> Ended</c>.</summary>
public sealed record NamespaceState : IEntityState<NamespaceState, NamespaceView>
{
    public static readonly NamespaceState Empty = new();

    public NamespaceView? View { get; init; }

    public bool Ended { get; init; }

    public NamespaceState Apply(IDomainEvent recorded) => recorded switch
    {
        NamespaceCreated created => this with { View = new(created.Name, created.Labels) },
        NamespaceLabelsChanged changed => this with { View = View! with { Labels = changed.Labels } },
        NamespaceWasDeleted => new() { Ended = true },
        _ => this,
    };

    public Decision Decide(object command, DateTimeOffset now) => (command, View) switch
    {
        (CreateNamespace create, null) => Create(create.Space, create.Labels, now),
        (CreateNamespace create, _) => Decision.Reject(
            FaultKind.AlreadyExists, "namespace.exists", $"namespace \"{create.Space}\": already exists"),
        (SetNamespaceLabels set, null) => Create(set.Space, set.Labels, now),
        (SetNamespaceLabels set, { } known) => Relabel(known, known.Labels.Replace(set.Labels, set.Names), now),
        (DeleteNamespace, { } known) => Decision.Accept([new NamespaceWasDeleted(now)], [], new NamespaceDeleted(known.Name)),
        (INamespaceCommand other, null) => Decision.Reject(Missing(other.Space)),
        _ => Decision.Nothing,
    };

    public ImmutableArray<IEffect> Unfinished() => [];

    internal static RuntimeFault Missing(NamespaceName name) =>
        new(FaultKind.NotFound, "namespace.not-found", $"namespace \"{name}\": not found");

    private static Decision Create(NamespaceName name, ImmutableSortedDictionary<string, string> labels, DateTimeOffset now) =>
        Decision.Accept([new NamespaceCreated(name.Value, labels, now)], [], new NamespaceView(name.Value, labels));

    private static Decision Relabel(NamespaceView known, ImmutableSortedDictionary<string, string> labels, DateTimeOffset now) =>
        Decision.Accept([new NamespaceLabelsChanged(labels, now)], [], known with { Labels = labels });
}
