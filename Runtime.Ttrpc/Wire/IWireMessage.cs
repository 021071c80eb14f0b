namespace Runtime.Ttrpc.Wire;

/// <summary>A protobuf message that reads and writes itself, without reflection or generated descriptors.</summary>
public interface IWireMessage<TSelf>
    where TSelf : IWireMessage<TSelf>
{
    /// <summary>Reads up to the reader's end. Unknown fields are skipped.</summary>
    /// <exception cref="Runtime.Faults.FaultException">InvalidArgument, <c>wire.malformed</c>.</exception>
    static abstract TSelf Read(WireReader reader);

    /// <summary>Appends the fields; default values are left out, as proto3 does.</summary>
    void Write(WireWriter writer);
}
