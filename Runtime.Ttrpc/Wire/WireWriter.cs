using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Runtime.Ttrpc.Wire;

/// <summary>Appends protobuf fields to a growing buffer that is used again. Not for two threads at once.</summary>
public sealed class WireWriter : IDisposable
{
    /// <summary>What <see cref="Clear"/> keeps: above it, one big message would hold its memory for good.</summary>
    private const int KeptBytes = 64 * 1024;

    private const int FirstBytes = 512;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

    /// <summary>The bytes from <paramref name="at"/>, to be filled in later.</summary>
    public Span<byte> Patch(int at, int count) => _buffer.AsSpan(at, count);

    public void Clear()
    {
        Length = 0;
        if (_buffer.Length <= KeptBytes)
            return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
    }

    /// <summary>Room for bytes that are no field: a frame's header.</summary>
    public void Reserve(int count)
    {
        Space(count).Clear();
        Length += count;
    }

    /// <summary>Bytes as they are: fields that are serialized already.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Space(bytes.Length));
        Length += bytes.Length;
    }

    public void UInt64(int field, ulong value)
    {
        if (value == 0)
            return;
        Tag(field, 0);
        Varint(value);
    }

    /// <summary>Zero too: for an element of a repeated field.</summary>
    public void UInt64Always(int field, ulong value)
    {
        Tag(field, 0);
        Varint(value);
    }

    public void Int64(int field, long value) => UInt64(field, (ulong)value);

    public void Bool(int field, bool value) => UInt64(field, value ? 1UL : 0);

    public void Double(int field, double value)
    {
        if (value == 0)
            return;
        Tag(field, 1);
        BinaryPrimitives.WriteDoubleLittleEndian(Space(8), value);
        Length += 8;
    }

    public void String(int field, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            StringAlways(field, value);
    }

    public void StringAlways(int field, string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        Tag(field, 2);
        Varint((ulong)count);
        Length += Encoding.UTF8.GetBytes(value, Space(count));
    }

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return;
        Tag(field, 2);
        Varint((ulong)value.Length);
        value.CopyTo(Space(value.Length));
        Length += value.Length;
    }

    public void Message<T>(int field, T? message)
        where T : IWireMessage<T>
    {
        if (message is null)
            return;
        var start = Begin(field);
        message.Write(this);
        End(start);
    }

    public void Entry(int field, string key, string value)
    {
        var start = Begin(field);
        String(1, key);
        String(2, value);
        End(start);
    }

    public void Map(int field, IReadOnlyDictionary<string, string> entries)
    {
        foreach (var (key, value) in entries)
            Entry(field, key, value);
    }

    /// <summary>Starts a nested message; what is written up to <see cref="End"/> is inside of it.</summary>
    public int Begin(int field)
    {
        Tag(field, 2);
        Reserve(1);
        return Length;
    }

    /// <summary>Ends a nested message: its length goes in front, and the content moves where that takes more than one byte.</summary>
    public void End(int start)
    {
        var count = Length - start;
        var extra = VarintBytes((ulong)count) - 1;
        if (extra > 0)
        {
            _ = Space(extra);
            _buffer.AsSpan(start, count).CopyTo(_buffer.AsSpan(start + extra));
            Length += extra;
        }
        var at = start - 1;
        for (var rest = (uint)count; ; rest >>= 7)
        {
            _buffer[at++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
            if (rest < 0x80)
                return;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        Length = 0;
    }

    /// <summary>The bytes of one message.</summary>
    public static byte[] ToArray<T>(T message)
        where T : IWireMessage<T>
    {
        using var writer = new WireWriter();
        message.Write(writer);
        return writer.Written.ToArray();
    }

    private void Tag(int field, int type) => Varint((ulong)(field << 3 | type));

    private void Varint(ulong value)
    {
        var space = Space(10);
        var count = 0;
        for (; value >= 0x80; value >>= 7)
            space[count++] = (byte)(value | 0x80);
        space[count++] = (byte)value;
        Length += count;
    }

    private static int VarintBytes(ulong value)
    {
        var count = 1;
        for (; value >= 0x80; value >>= 7)
            count++;
        return count;
    }

    private Span<byte> Space(int count)
    {
        if (_buffer.Length - Length < count)
        {
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, Length + count));
            Written.CopyTo(bigger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = bigger;
        }
        return _buffer.AsSpan(Length, count);
    }
}
