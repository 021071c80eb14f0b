namespace Runtime.Actors.Entities;

/// <summary>What a decision asks the shell to do, as data. It can run twice and be undone.</summary>
public interface IEffect;
