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
