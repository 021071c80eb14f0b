using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Entities;

/// <summary>Entity to manager: recovery is over, commands can come.</summary>
internal sealed record EntityRecovered(string EntityId);

/// <summary>Entity to manager: the last event is stored; send nothing more, then <see cref="ReleaseEntity"/>.</summary>
internal sealed record EntityEnded(string EntityId);

/// <summary>Manager to entity: nothing that was sent before this is lost; stop.</summary>
internal sealed record ReleaseEntity
{
    public static readonly ReleaseEntity Instance = new();
}

/// <summary>To the namespaces: as <see cref="AwaitRecovery"/>, of one slice of one namespace.</summary>
/// <param name="Slice">The manager's actor name: <c>containers</c>.</param>
public sealed record AwaitSliceRecovery(NamespaceName Space, string Slice);

/// <summary>To a manager: answer <see cref="EntitiesRecovered"/> once every entity of the journal is back.</summary>
public sealed record AwaitRecovery
{
    public static readonly AwaitRecovery Instance = new();
}

/// <summary>From here on the manager's read model is right.</summary>
public sealed record EntitiesRecovered
{
    public static readonly EntitiesRecovered Instance = new();
}
