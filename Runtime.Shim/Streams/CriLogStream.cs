using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Shim.Streams;

/// <summary>Splits one stream into lines for its <see cref="CriLog"/>. Holds memory only while a line is not complete.</summary>
internal sealed class CriLogStream(CriLog log, bool isStderr) : ISink
{
    private byte[] _carry = [];
    private int _carried;

    public SafeFileHandle? Waitable => null;

    public int Write(ReadOnlySpan<byte> bytes)
    {
        log.StartBatch();
        for (var rest = bytes; !rest.IsEmpty;)
        {
            var room = log.MaxLineBytes - _carried;
            var newline = rest.IndexOf((byte)'\n');
            if (newline >= 0 && newline <= room)
            {
                log.Append(isStderr, isWhole: true, _carry.AsSpan(0, _carried), rest[..newline]);
                _carried = 0;
                rest = rest[(newline + 1)..];
            }
            else if (rest.Length <= room)
            {
                Carry(rest);
                break;
            }
            else
            {
                log.Append(isStderr, isWhole: false, _carry.AsSpan(0, _carried), rest[..room]);
                _carried = 0;
                rest = rest[room..];
            }
        }
        log.EndBatch();
        if (_carried == 0)
            Release();
        return bytes.Length;
    }

    public void End()
    {
        if (_carried > 0)
        {
            // A last line without its end is a part, as containerd marks it.
            log.StartBatch();
            log.Append(isStderr, isWhole: false, _carry.AsSpan(0, _carried), default);
            log.EndBatch();
        }
        _carried = 0;
        Release();
        log.EndStream();
    }

    private void Carry(ReadOnlySpan<byte> bytes)
    {
        if (_carry.Length < _carried + bytes.Length)
        {
            var bigger = ArrayPool<byte>.Shared.Rent(_carried + bytes.Length);
            _carry.AsSpan(0, _carried).CopyTo(bigger);
            Release();
            _carry = bigger;
        }
        bytes.CopyTo(_carry.AsSpan(_carried));
        _carried += bytes.Length;
    }

    private void Release()
    {
        if (_carry.Length > 0)
            ArrayPool<byte>.Shared.Return(_carry);
        _carry = [];
    }
}
