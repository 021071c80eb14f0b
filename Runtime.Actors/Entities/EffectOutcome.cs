using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>An effect succeeded; goes into Decide like a command.</summary>
/// <param name="Outcome">What the effect gave, if anything: a pid, a result, a status.</param>
public sealed record EffectDone(IEffect Effect, object? Outcome);

/// <summary>An effect failed; goes into Decide like a command.</summary>
public sealed record EffectFailed(IEffect Effect, RuntimeFault Fault);
