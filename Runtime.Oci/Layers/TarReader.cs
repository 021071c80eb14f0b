using System.Buffers;
using static Runtime.Oci.Layers.TarFormat;

namespace Runtime.Oci.Layers;

/// <summary>
/// Reads a tar stream forward: v7, ustar, pax, GNU and star. Content is handed out in place from one pooled buffer. Every length in
/// the stream is hostile: nothing is allocated by a number that the stream says, beyond the limits.
/// </summary>
/// <param name="maxHeaderBytes">All extended headers of one entry together.</param>
internal sealed class TarReader(Stream source, int maxHeaderBytes) : IDisposable
{
    /// <summary>Sized so that a big file costs one write(2) per 256 KiB.</summary>
    private const int BufferSize = 256 * 1024;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private readonly PaxRecords _pax = new();
    private int _start;
    private int _end;
    private long _content;
    private long _padding;

    public TarEntry Entry { get; } = new();

    /// <summary>Bytes of the stream that were taken in.</summary>
    public long Consumed { get; private set; }

    /// <summary>Skips what is left of the current entry and reads the next.</summary>
    /// <returns>False at the end of the archive.</returns>
    public async ValueTask<bool> ReadAsync(CancellationToken cancel)
    {
        await SkipAsync(_content + _padding, cancel);
        (_content, _padding) = (0, 0);
        _pax.Clear();
        for (var metaBytes = 0L; ;)
        {
            if (!await FillAsync(BlockSize, cancel))
            {
                // A missing trailer is common; a piece of a block is not.
                return _start == _end ? false : throw LayerFault.Truncated("a tar header");
            }
            var type = ReadHeader();
            if (type is null)
                return false;
            if (type is not ('x' or 'X' or 'g' or 'L' or 'K'))
            {
                await FinishAsync(cancel);
                return true;
            }
            metaBytes += _content;
            if (metaBytes > maxHeaderBytes)
                throw LayerFault.TooBig($"The extended headers of an entry exceed {maxHeaderBytes} bytes.");
            await ReadExtendedAsync(type.Value, (int)_content, cancel);
        }
    }

    /// <summary>The next piece of the current entry's content, valid until the next call; empty at its end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadContentAsync(CancellationToken cancel)
    {
        if (_content == 0)
            return default;
        if (_start == _end && !await FillAsync(1, cancel))
            throw LayerFault.Truncated($"the file '{LayerFault.Shown(Entry.Name)}'");
        var count = (int)Math.Min(_content, _end - _start);
        var piece = _buffer.AsMemory(_start, count);
        _start += count;
        _content -= count;
        return piece;
    }

    /// <summary>Reads the stream to its end: what hashes it needs all of it.</summary>
    /// <param name="maxBytes">Of the whole stream.</param>
    public async ValueTask DrainAsync(long maxBytes, CancellationToken cancel)
    {
        do
        {
            _start = _end = 0;
            if (Consumed > maxBytes)
                throw LayerFault.TooBig($"The layer has more than {maxBytes} bytes.");
        }
        while (await FillAsync(1, cancel));
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    /// <summary>Takes a header block in; its type, or null for the zero block that ends an archive.</summary>
    private char? ReadHeader()
    {
        var block = Take(BlockSize);
        if (IsZero(block))
            return null;
        Check(block);
        var type = (char)block[156];
        var size = Number(block.Slice(124, 12), "size");
        if (size < 0)
            throw LayerFault.Malformed("A tar header has a negative size.");
        if (type is 'x' or 'X' or 'g' or 'L' or 'K')
        {
            SetContent(size);
            return type;
        }
        var prefix = Prefix(block);
        var name = Field(block, 0, 100);
        Entry.Name = _pax.Path ?? (prefix.IsEmpty ? name.ToArray() : [.. prefix, (byte)'/', .. name]);
        Entry.LinkName = _pax.LinkPath ?? Field(block, 157, 100).ToArray();
        Entry.Type = TypeOf(type, Entry.Name);
        Entry.Mode = (uint)Number(block.Slice(100, 8), "mode") & 0xFFF;
        Entry.Uid = _pax.Uid ?? Id(block.Slice(108, 8), "uid");
        Entry.Gid = _pax.Gid ?? Id(block.Slice(116, 8), "gid");
        (Entry.ModifiedSeconds, Entry.ModifiedNanoseconds) = _pax.Modified ?? (Number(block.Slice(136, 12), "mtime"), 0u);
        if (Entry.Type is TarEntryType.CharDevice or TarEntryType.BlockDevice)
            (Entry.DeviceMajor, Entry.DeviceMinor) = (Id(block.Slice(329, 8), "major number"), Id(block.Slice(337, 8), "minor number"));
        Entry.Xattrs.Clear();
        Entry.Xattrs.AddRange(_pax.Xattrs);
        Entry.Segments = null;
        // Links, devices and directories have no content, whatever their size field says (old GNU writers left a size there).
        SetContent(Entry.Type == TarEntryType.File || type == 'D' ? _pax.Size ?? size : 0);
        Entry.Size = Entry.Type == TarEntryType.File ? _content : 0;
        if (type == 'S')
            ReadOldSparse(block);
        return type;
    }

    /// <summary>0, NUL and 7 are files; a trailing slash makes them directories (v7). D is GNU's directory with a listing.</summary>
    private static TarEntryType TypeOf(char type, ReadOnlySpan<byte> name) => type switch
    {
        '0' or '\0' or '7' => name.EndsWith("/"u8) ? TarEntryType.Directory : TarEntryType.File,
        'S' => TarEntryType.File,
        '1' => TarEntryType.HardLink,
        '2' => TarEntryType.Symlink,
        '3' => TarEntryType.CharDevice,
        '4' => TarEntryType.BlockDevice,
        '5' or 'D' => TarEntryType.Directory,
        '6' => TarEntryType.Fifo,
        _ => throw new Faults.FaultException(
            Faults.FaultKind.InvalidArgument, "layer.unsupported-entry",
            $"The entry '{LayerFault.Shown(name)}' has the unknown tar type '{(char.IsControl(type) ? '?' : type)}'."),
    };

    private void SetContent(long size)
    {
        _content = size;
        _padding = (BlockSize - size % BlockSize) % BlockSize;
    }

    private async ValueTask ReadExtendedAsync(char type, int length, CancellationToken cancel)
    {
        var data = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        try
        {
            for (var done = 0; done < length;)
            {
                var piece = await ReadContentAsync(cancel);
                piece.CopyTo(data.AsMemory(done));
                done += piece.Length;
            }
            await SkipAsync(_padding, cancel);
            _padding = 0;
            var bytes = data.AsSpan(0, length);
            if (type is 'L')
                _pax.Path = LongName(bytes);
            else if (type is 'K')
                _pax.LinkPath = LongName(bytes);
            else
                _pax.Add(bytes, global: type == 'g');
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(data);
        }
    }

    private static byte[] LongName(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOf((byte)0);
        return (end < 0 ? data : data[..end]).ToArray();
    }

    /// <summary>GNU's type S: four segments in the header, the rest in further blocks of 21.</summary>
    private void ReadOldSparse(ReadOnlySpan<byte> block)
    {
        Entry.Segments = [];
        AddSegments(block.Slice(386, 96));
        Entry.Size = Number(block.Slice(483, 12), "real size");
        _moreSegments = block[482] != 0;
    }

    private bool _moreSegments;

    /// <summary>What needs more of the stream than the header: sparse maps.</summary>
    private async ValueTask FinishAsync(CancellationToken cancel)
    {
        while (_moreSegments)
        {
            if (!await FillAsync(BlockSize, cancel))
                throw LayerFault.Truncated("a sparse map");
            var block = Take(BlockSize);
            AddSegments(block[..504]);
            _moreSegments = block[504] != 0;
        }
        if (_pax.IsSparse && Entry.Type == TarEntryType.File)
        {
            Entry.Name = _pax.SparseName ?? Entry.Name;
            Entry.Size = _pax.RealSize ?? Entry.Size;
            Entry.Segments = _pax.IsSparse1 ? await ReadSparse1Async(cancel) : _pax.Segments ?? [];
        }
        if (Entry.Segments is not null)
            CheckSegments();
    }

    private void AddSegments(ReadOnlySpan<byte> table)
    {
        for (; table.Length >= 24 && table[0] != 0; table = table[24..])
        {
            if (Entry.Segments!.Count == PaxRecords.MaxSegments)
                throw LayerFault.TooBig($"A sparse file has more than {PaxRecords.MaxSegments} segments.");
            Entry.Segments.Add(new(Number(table[..12], "sparse offset"), Number(table.Slice(12, 12), "sparse length")));
        }
    }

    /// <summary>1.0: before the content, decimal lines: the number of segments, then offset and length of each; padded to a block.</summary>
    private async ValueTask<List<SparseSegment>> ReadSparse1Async(CancellationToken cancel)
    {
        var used = 0L;
        async ValueTask<long> NextNumber()
        {
            var value = 0L;
            for (var digits = 0; ; digits++)
            {
                if (_content == 0 || digits > 19)
                    throw LayerFault.Malformed("A sparse map is cut off.");
                if (_start == _end && !await FillAsync(1, cancel))
                    throw LayerFault.Truncated("a sparse map");
                var digit = _buffer[_start++];
                _content--;
                used++;
                if (digit == '\n' && digits > 0)
                    return value;
                if (digit is < (byte)'0' or > (byte)'9' || value > (long.MaxValue - 9) / 10)
                    throw LayerFault.Malformed("A sparse map has a line that is no number.");
                value = value * 10 + (digit - '0');
            }
        }

        var count = await NextNumber();
        if (count > PaxRecords.MaxSegments)
            throw LayerFault.TooBig($"A sparse file has more than {PaxRecords.MaxSegments} segments.");
        var segments = new List<SparseSegment>();
        for (var i = 0; i < count; i++)
            segments.Add(new(await NextNumber(), await NextNumber()));
        var padding = (BlockSize - used % BlockSize) % BlockSize;
        if (padding > _content)
            throw LayerFault.Malformed("A sparse map is cut off.");
        await SkipAsync(padding, cancel);
        _content -= padding;
        return segments;
    }

    /// <summary>Ascending, apart, inside of the file, and together exactly the content.</summary>
    private void CheckSegments()
    {
        var (end, sum) = (0L, 0L);
        foreach (var (offset, length) in Entry.Segments!)
        {
            if (offset < end || length < 0 || offset > Entry.Size || length > Entry.Size - offset)
                throw LayerFault.Malformed($"The sparse file '{LayerFault.Shown(Entry.Name)}' has a malformed map.");
            end = offset + length;
            sum += length;
        }
        if (sum != _content)
            throw LayerFault.Malformed($"The map of the sparse file '{LayerFault.Shown(Entry.Name)}' does not fit its content.");
    }

    private async ValueTask SkipAsync(long count, CancellationToken cancel)
    {
        while (count > 0)
        {
            if (_start == _end && !await FillAsync(1, cancel))
                throw LayerFault.Truncated($"the entry '{LayerFault.Shown(Entry.Name)}'");
            var step = (int)Math.Min(count, _end - _start);
            _start += step;
            count -= step;
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        _start += count;
        return _buffer.AsSpan(_start - count, count);
    }

    /// <summary>Makes <paramref name="count"/> bytes available in one piece; false if the stream ends before.</summary>
    private async ValueTask<bool> FillAsync(int count, CancellationToken cancel)
    {
        if (_end - _start >= count)
            return true;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
        {
            var read = await source.ReadAsync(_buffer.AsMemory(_end), cancel);
            if (read == 0)
                return false;
            _end += read;
            Consumed += read;
        }
        return true;
    }
}
