namespace Runtime.Faults;

/// <summary>Carries a <see cref="RuntimeFault"/> out of a port or adapter, where no reply value can.</summary>
public sealed class FaultException(RuntimeFault fault, Exception? cause = null) : Exception(fault.Message, cause)
{
    public RuntimeFault Fault { get; } = fault;

    public FaultException(FaultKind kind, string code, string message, Exception? cause = null)
        : this(new RuntimeFault(kind, code, message), cause)
    {
    }
}
