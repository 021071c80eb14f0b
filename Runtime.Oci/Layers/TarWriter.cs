using System.Buffers;
using System.Globalization;
using System.Text;
using static Runtime.Oci.Layers.TarFormat;

namespace Runtime.Oci.Layers;

/// <summary>
/// Writes a pax archive (POSIX.1-2017) such that the same entries give the same bytes: whole seconds, no names of users, extended headers
/// only for what a ustar header cannot say. Entries have no holes: the OCI image spec advises against sparse entries, because
/// readers disagree about them.
/// </summary>
internal sealed class TarWriter(Stream target)
{
    private const long OctalMax7 = 0x1FFFFF;
    private const long OctalMax11 = 0x1_FFFF_FFFF;
    private const int NameMax = 100;

    private readonly byte[] _block = new byte[BlockSize];
    private readonly SortedDictionary<string, byte[]> _records = new(StringComparer.Ordinal);
    private long _left;
    private int _padding;

    /// <summary>Begins an entry. <see cref="TarEntry.Size"/> bytes of content have to follow for a file.</summary>
    public void Begin(TarEntry entry)
    {
        _records.Clear();
        if (!FitsName(entry.Name))
            _records["path"] = entry.Name;
        if (!FitsName(entry.LinkName))
            _records["linkpath"] = entry.LinkName;
        AddIfTooBig("uid", entry.Uid, OctalMax7);
        AddIfTooBig("gid", entry.Gid, OctalMax7);
        AddIfTooBig("size", entry.Size, OctalMax11);
        AddIfTooBig("mtime", entry.ModifiedSeconds, OctalMax11);
        foreach (var (name, value) in entry.Xattrs)
            _records[PaxRecords.XattrKey(name)] = value;
        if (_records.Count > 0)
            WriteExtended();
        WriteHeader(entry, (char)entry.Type);
        _left = entry.Size;
        _padding = (int)((BlockSize - entry.Size % BlockSize) % BlockSize);
        EndIfWhole();
    }

    /// <summary>A piece of the current entry's content.</summary>
    public void Write(ReadOnlySpan<byte> content)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, _left);
        target.Write(content);
        _left -= content.Length;
        EndIfWhole();
    }

    /// <summary>Ends the archive; the stream stays open.</summary>
    public void Finish()
    {
        _block.AsSpan().Clear();
        target.Write(_block);
        target.Write(_block);
    }

    private void EndIfWhole()
    {
        if (_left > 0 || _padding == 0)
            return;
        _block.AsSpan().Clear();
        target.Write(_block.AsSpan(0, _padding));
        _padding = 0;
    }

    private void WriteExtended()
    {
        var body = new ArrayBufferWriter<byte>();
        foreach (var (key, value) in _records)
            AddRecord(body, key, value);
        WriteHeader(new TarEntry { Name = "PaxHeaders.0/entry"u8.ToArray(), Mode = 0b110_100_100, Size = body.WrittenCount }, 'x');
        target.Write(body.WrittenSpan);
        _block.AsSpan().Clear();
        target.Write(_block.AsSpan(0, (BlockSize - body.WrittenCount % BlockSize) % BlockSize));
    }

    /// <summary><c>LENGTH KEY=VALUE\n</c>, where LENGTH counts itself.</summary>
    private static void AddRecord(ArrayBufferWriter<byte> body, string key, byte[] value)
    {
        var rest = Encoding.UTF8.GetByteCount(key) + value.Length + 3;
        var length = rest + 1;
        while (length != rest + Digits(length))
            length = rest + Digits(length);
        body.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {key}=")));
        body.Write(value);
        body.Write("\n"u8);
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    private void AddIfTooBig(string key, long value, long octalMax)
    {
        if (value < 0 || value > octalMax)
            _records[key] = Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture));
    }

    private void WriteHeader(TarEntry entry, char type)
    {
        var block = _block.AsSpan();
        block.Clear();
        PutName(block[..NameMax], entry.Name);
        PutOctal(block.Slice(100, 8), entry.Mode);
        PutOctal(block.Slice(108, 8), entry.Uid <= OctalMax7 ? entry.Uid : 0);
        PutOctal(block.Slice(116, 8), entry.Gid <= OctalMax7 ? entry.Gid : 0);
        PutOctal(block.Slice(124, 12), entry.Size <= OctalMax11 ? entry.Size : 0);
        PutOctal(block.Slice(136, 12), entry.ModifiedSeconds is >= 0 and <= OctalMax11 ? entry.ModifiedSeconds : 0);
        block[156] = (byte)type;
        PutName(block.Slice(157, NameMax), entry.LinkName);
        "ustar\0"u8.CopyTo(block[257..]);
        "00"u8.CopyTo(block[263..]);
        PutOctal(block.Slice(329, 8), entry.DeviceMajor);
        PutOctal(block.Slice(337, 8), entry.DeviceMinor);
        block.Slice(148, 8).Fill((byte)' ');
        var sum = 0L;
        foreach (var value in block)
            sum += value;
        PutOctal(block.Slice(148, 7), sum);
        target.Write(block);
    }

    private static bool FitsName(byte[] name) => name.Length <= NameMax && Ascii.IsValid(name);

    private static void PutName(Span<byte> field, byte[] name)
    {
        // What a pax record says in full, readers of old see cut off.
        for (var i = 0; i < Math.Min(field.Length, name.Length); i++)
            field[i] = Ascii.IsValid(name[i]) ? name[i] : (byte)'?';
    }

    /// <summary>Digits with leading zeros; the last byte stays NUL.</summary>
    private static void PutOctal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
            field[i] = (byte)('0' + (value & 7));
    }
}
