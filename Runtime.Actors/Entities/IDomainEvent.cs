namespace Runtime.Actors.Entities;

/// <summary>A fact that is persisted: an immutable record, named in the past tense, extended but never edited.</summary>
public interface IDomainEvent;
