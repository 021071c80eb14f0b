using System.Collections.Immutable;
using Runtime.Actors.Entities;

namespace Runtime.Actors.Sandboxes;

/// <summary>Namespaces, then CNI ADD. Outcome: <see cref="NetworkOutcome"/>. Runs beside <see cref="StartShim"/>.</summary>
public sealed record AttachNetwork(SandboxPlan Plan) : IEffect;

public sealed record NetworkOutcome(ImmutableArray<string> Ips, string CniResult);

/// <summary>Files, cgroup and bundle, the shim, and in it the sandbox. Outcome: the pid.</summary>
/// <param name="Again">A start before this one was interrupted: what it left of the shim goes first.</param>
public sealed record StartShim(SandboxPlan Plan, bool Again) : IEffect;

/// <summary>Ends when the sandbox does, and at once if it is not there. Outcome: the reason, a string.</summary>
public sealed record WatchSandbox(SandboxPlan Plan) : IEffect;

/// <summary>An effect that is tried until it succeeds.</summary>
public interface IRetriedEffect : IEffect
{
    /// <summary>How often it has failed.</summary>
    int Failures { get; }

    IRetriedEffect AfterFailure();
}

/// <summary>Has the containers of the sandbox killed.</summary>
public sealed record StopContainers(SandboxPlan Plan, int Failures = 0) : IRetriedEffect
{
    public IRetriedEffect AfterFailure() => this with { Failures = Failures + 1 };
}

/// <summary>CNI DEL, the sandbox in the shim, the namespaces: what a stopped sandbox does not have.</summary>
/// <param name="Attached">CNI ADD is known to have succeeded.</param>
public sealed record ReleaseSandbox(SandboxPlan Plan, bool Attached, int Failures = 0) : IRetriedEffect
{
    public IRetriedEffect AfterFailure() => this with { Failures = Failures + 1 };
}

/// <summary>Has the containers of the sandbox removed.</summary>
public sealed record RemoveContainers(SandboxPlan Plan, int Failures = 0) : IRetriedEffect
{
    public IRetriedEffect AfterFailure() => this with { Failures = Failures + 1 };
}

/// <summary>All that <see cref="ReleaseSandbox"/> does, then the shim, the cgroup and every file. Waits for a start in flight.</summary>
/// <param name="Attached">CNI ADD is known to have succeeded.</param>
public sealed record TearDown(SandboxPlan Plan, bool Attached, int Failures = 0) : IRetriedEffect
{
    public IRetriedEffect AfterFailure() => this with { Failures = Failures + 1 };
}

/// <summary>Ends after a time, or at <see cref="RetryNow"/>; then <paramref name="Then"/> is due.</summary>
public sealed record RetryLater(TimeSpan After, IEffect Then) : IEffect;

/// <summary>Ends every <see cref="RetryLater"/>: somebody waits for it now.</summary>
public sealed record RetryNow : IEffect
{
    public static readonly RetryNow Instance = new();
}

/// <summary>Ends when a sandbox that nobody took has waited long enough.</summary>
public sealed record ExpireUntaken(DateTimeOffset UntakenAt, TimeSpan Limit) : IEffect;

/// <summary>Ends at once: tells the state, which has no other way to learn it, that the machine was booted since.</summary>
public sealed record NoticeReboot : IEffect
{
    public static readonly NoticeReboot Instance = new();
}
