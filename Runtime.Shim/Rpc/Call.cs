using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Rpc;

/// <summary>Takes requests in. It must answer each, now or later, and must not block.</summary>
internal interface IDispatcher
{
    /// <exception cref="FaultException">Answered as the call's status.</exception>
    void Dispatch(Call call, string service, string method, WireReader payload);
}

/// <summary>A request that waits for its answer. Where its connection is gone by then, the answer goes nowhere.</summary>
internal readonly struct Call(ShimConnection connection, uint stream)
{
    public bool IsGone => connection.IsClosed;

    public void Reply<T>(T message)
        where T : IWireMessage<T> => connection.Reply(stream, message);

    public void Done() => connection.Reply(stream, Empty.Value);

    /// <summary>After the answer: the connection's socket is the caller's, and no more calls come on it.</summary>
    /// <exception cref="FaultException">Aborted: the peer has not taken earlier answers, or has sent more already.</exception>
    public SafeFileHandle TakeOver() => connection.TakeOver();

    public void Refuse(RuntimeFault fault) => connection.Refuse(stream, fault);
}
