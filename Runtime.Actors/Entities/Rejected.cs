using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>The reply to a command that was refused or failed. Nothing is half done.</summary>
public sealed record Rejected(RuntimeFault Fault)
{
    public Rejected(FaultKind kind, string code, string message)
        : this(new RuntimeFault(kind, code, message))
    {
    }
}
