using System.Buffers.Text;
using System.Text;

namespace Runtime.Oci.Layers;

/// <summary>What extended headers said about the next entry: pax (types x), GNU long names (types L and K).</summary>
internal sealed class PaxRecords
{
    /// <summary>Sized for any real file; 16 bytes each.</summary>
    public const int MaxSegments = 256 * 1024;

    private static ReadOnlySpan<byte> XattrPrefix => "SCHILY.xattr."u8;

    /// <summary>The record of an extended attribute, as star, GNU tar and Go have it.</summary>
    public static string XattrKey(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(XattrPrefix) + Encoding.UTF8.GetString(name);

    public byte[]? Path { get; set; }

    public byte[]? LinkPath { get; set; }

    public long? Size { get; private set; }

    public uint? Uid { get; private set; }

    public uint? Gid { get; private set; }

    public (long Seconds, uint Nanoseconds)? Modified { get; private set; }

    public List<(byte[] Name, byte[] Value)> Xattrs { get; } = [];

    /// <summary>GNU.sparse.major.minor: 0.0 and 0.1 have the map here, 1.0 before the content.</summary>
    public bool IsSparse1 => _sparseMajor == 1 && _sparseMinor == 0;

    public bool IsSparse => _sparseMajor is not null || Segments is not null || RealSize is not null;

    public byte[]? SparseName { get; private set; }

    public long? RealSize { get; private set; }

    public List<SparseSegment>? Segments { get; private set; }

    private long? _sparseMajor;
    private long? _sparseMinor;
    private long? _pendingOffset;

    public void Clear()
    {
        (Path, LinkPath, Size, Uid, Gid, Modified, SparseName, RealSize, Segments) = (null, null, null, null, null, null, null, null, null);
        (_sparseMajor, _sparseMinor, _pendingOffset) = (null, null, null);
        Xattrs.Clear();
    }

    /// <summary>Records <c>LENGTH KEY=VALUE\n</c>; LENGTH counts the whole record with itself.</summary>
    /// <param name="global">Of type g, which holds for all entries that follow. Like Go's archive/tar, and so like containerd, we
    /// do not apply them; one that would change names or sizes is refused, since other readers would see another tree.</param>
    public void Add(ReadOnlySpan<byte> data, bool global)
    {
        while (!data.IsEmpty)
        {
            if (!Utf8Parser.TryParse(data, out int length, out var digits) || digits == 0 || length <= digits + 2
                || length > data.Length || data[digits] != ' ' || data[length - 1] != '\n')
                throw LayerFault.Malformed("A pax header has a malformed record.");
            var record = data[(digits + 1)..(length - 1)];
            data = data[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0)
                throw LayerFault.Malformed("A pax header has a record without a key.");
            var key = record[..equals];
            var value = record[(equals + 1)..];
            if (!global)
                Take(key, value);
            else if (key.SequenceEqual("path"u8) || key.SequenceEqual("linkpath"u8) || key.SequenceEqual("size"u8))
                throw LayerFault.Malformed($"A global pax header sets {LayerFault.Shown(key)} for all entries.");
        }
    }

    /// <summary>An empty value takes an earlier record back.</summary>
    private void Take(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.StartsWith(XattrPrefix))
            TakeXattr(key[XattrPrefix.Length..], value);
        else if (key.StartsWith("GNU.sparse."u8))
            TakeSparse(key["GNU.sparse.".Length..], value);
        else if (key.SequenceEqual("path"u8))
            Path = Text(value);
        else if (key.SequenceEqual("linkpath"u8))
            LinkPath = Text(value);
        else if (key.SequenceEqual("size"u8))
            Size = value.IsEmpty ? null : Number(value, "size");
        else if (key.SequenceEqual("uid"u8))
            Uid = value.IsEmpty ? null : Id(value, "uid");
        else if (key.SequenceEqual("gid"u8))
            Gid = value.IsEmpty ? null : Id(value, "gid");
        else if (key.SequenceEqual("mtime"u8))
            Modified = value.IsEmpty ? null : Time(value);
    }

    private void TakeXattr(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        // XATTR_NAME_MAX and XATTR_SIZE_MAX of the kernel.
        if (name.Length is 0 or > 255 || name.Contains((byte)0) || value.Length > 64 * 1024)
            throw LayerFault.Malformed("A pax header has an extended attribute that no file can have.");
        for (var i = 0; i < Xattrs.Count; i++)
        {
            if (name.SequenceEqual(Xattrs[i].Name.AsSpan().TrimEnd((byte)0)))
                Xattrs.RemoveAt(i--);
        }
        var terminated = new byte[name.Length + 1];
        name.CopyTo(terminated);
        Xattrs.Add((terminated, value.ToArray()));
    }

    /// <summary>0.0: size, numblocks, then offset and numbytes in turn. 0.1: size, name, map. 1.0: major, minor, name, realsize.</summary>
    private void TakeSparse(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("major"u8))
            _sparseMajor = Number(value, "GNU.sparse.major");
        else if (key.SequenceEqual("minor"u8))
            _sparseMinor = Number(value, "GNU.sparse.minor");
        else if (key.SequenceEqual("name"u8))
            SparseName = Text(value);
        else if (key.SequenceEqual("size"u8) || key.SequenceEqual("realsize"u8))
            RealSize = Number(value, "GNU.sparse.size");
        else if (key.SequenceEqual("offset"u8))
            _pendingOffset = Number(value, "GNU.sparse.offset");
        else if (key.SequenceEqual("numbytes"u8))
            AddSegment(_pendingOffset ?? throw LayerFault.Malformed("A sparse map has a length without an offset."), Number(value, "GNU.sparse.numbytes"));
        else if (key.SequenceEqual("map"u8))
            TakeMap(value);
    }

    private void TakeMap(ReadOnlySpan<byte> map)
    {
        Segments = [];
        long? offset = null;
        foreach (var range in map.Split((byte)','))
        {
            if (map[range].IsEmpty && map.IsEmpty)
                return;
            var number = Number(map[range], "GNU.sparse.map");
            if (offset is { } at)
                AddSegment(at, number);
            offset = offset is null ? number : null;
        }
        if (offset is not null)
            throw LayerFault.Malformed("A sparse map has an offset without a length.");
    }

    private void AddSegment(long offset, long length)
    {
        Segments ??= [];
        if (Segments.Count == MaxSegments)
            throw LayerFault.TooBig($"A sparse file has more than {MaxSegments} segments.");
        Segments.Add(new(offset, length));
        _pendingOffset = null;
    }

    private static byte[]? Text(ReadOnlySpan<byte> value)
    {
        if (value.Contains((byte)0))
            throw LayerFault.Malformed("A pax header has a name with a NUL character.");
        return value.IsEmpty ? null : value.ToArray();
    }

    private static long Number(ReadOnlySpan<byte> value, string what) =>
        Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length && number >= 0
            ? number
            : throw LayerFault.Malformed($"A pax header has a {what} that is no number.");

    private static uint Id(ReadOnlySpan<byte> value, string what)
    {
        var number = Number(value, what);
        return number < uint.MaxValue ? (uint)number : throw LayerFault.Malformed($"A pax header has a {what} of {number}, which no system can have.");
    }

    /// <summary>Seconds with a fraction; before 1970 negative: -1.5 is half a second before -1.</summary>
    private static (long, uint) Time(ReadOnlySpan<byte> value)
    {
        var dot = value.IndexOf((byte)'.');
        var whole = dot < 0 ? value : value[..dot];
        var fraction = dot < 0 ? default : value[(dot + 1)..];
        var negative = whole.StartsWith("-"u8);
        if (!Utf8Parser.TryParse(whole, out long seconds, out var used) || used != whole.Length
            || fraction.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            throw LayerFault.Malformed($"A pax header has the time '{Encoding.UTF8.GetString(value[..Math.Min(40, value.Length)])}'.");
        uint nanoseconds = 0;
        for (var i = 0; i < 9; i++)
            nanoseconds = nanoseconds * 10 + (i < fraction.Length ? (uint)(fraction[i] - '0') : 0);
        return negative && nanoseconds > 0 ? (seconds - 1, 1_000_000_000 - nanoseconds) : (seconds, nanoseconds);
    }
}
