using System.Buffers.Binary;
using System.Text;
using Runtime.Faults;

namespace Runtime.Ttrpc.Wire;

/// <summary>
/// Reads protobuf fields in place (protobuf.dev/programming-guides/encoding). A field is a varint <c>number &lt;&lt; 3 | type</c>
/// and its value: 0 a varint, 1 eight bytes, 2 a length and that many bytes, 5 four bytes.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> source)
{
    private readonly ReadOnlySpan<byte> _source = source;
    private int _at;
    private int _type;

    /// <summary>Moves on to the next field; false at the end. The field's value must be read or skipped then.</summary>
    public bool Next(out int field)
    {
        field = 0;
        if (_at == _source.Length)
            return false;
        var tag = RawVarint();
        (field, _type) = ((int)(tag >> 3), (int)(tag & 7));
        return field > 0 && tag <= uint.MaxValue ? true : throw Malformed("a field has no valid number");
    }

    public ulong UInt64() => _type == 0 ? RawVarint() : throw Mismatch();

    public uint UInt32() => (uint)UInt64();

    public long Int64() => (long)UInt64();

    public int Int32() => (int)UInt64();

    public bool Bool() => UInt64() != 0;

    public string String() => Encoding.UTF8.GetString(Bytes());

    /// <summary>The bytes themselves: valid as long as the source is.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        if (_type != 2)
            throw Mismatch();
        var length = RawVarint();
        if (length > (ulong)(_source.Length - _at))
            throw Malformed("a length runs over the end");
        var bytes = _source.Slice(_at, (int)length);
        _at += (int)length;
        return bytes;
    }

    /// <summary>A reader of the nested message.</summary>
    public WireReader Nested() => new(Bytes());

    public T Message<T>()
        where T : IWireMessage<T> => T.Read(Nested());

    /// <summary>An entry of a <c>map&lt;string, string&gt;</c>: key is field 1, value field 2.</summary>
    public (string Key, string Value) Entry()
    {
        var (key, value) = ("", "");
        var entry = Nested();
        while (entry.Next(out var field))
        {
            switch (field)
            {
                case 1: key = entry.String(); break;
                case 2: value = entry.String(); break;
                default: entry.Skip(); break;
            }
        }
        return (key, value);
    }

    /// <summary>All fields that are left, as they are.</summary>
    public ReadOnlySpan<byte> Rest()
    {
        var rest = _source[_at..];
        _at = _source.Length;
        return rest;
    }

    /// <summary>Passes over the value of the current field.</summary>
    public void Skip()
    {
        switch (_type)
        {
            case 0: _ = RawVarint(); break;
            case 1: Advance(8); break;
            case 2: _ = Bytes(); break;
            case 5: Advance(4); break;
            default: throw Malformed("a field has an unknown wire type");
        }
    }

    /// <summary>A fixed 64-bit value, such as a double.</summary>
    public ulong Fixed64()
    {
        if (_type != 1)
            throw Mismatch();
        Advance(8);
        return BinaryPrimitives.ReadUInt64LittleEndian(_source[(_at - 8)..]);
    }

    private void Advance(int count)
    {
        if (_source.Length - _at < count)
            throw Malformed("a value runs over the end");
        _at += count;
    }

    private ulong RawVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_at == _source.Length)
                throw Malformed("a varint runs over the end");
            var next = _source[_at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
        throw Malformed("a varint has more than ten bytes");
    }

    private static FaultException Mismatch() => Malformed("a field has another wire type than its message says");

    private static FaultException Malformed(string what) =>
        new(FaultKind.InvalidArgument, "wire.malformed", $"The protobuf message is malformed: {what}.");
}
