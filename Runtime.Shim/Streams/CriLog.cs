using System.Buffers;
using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Io;
using Runtime.Ttrpc.Actord;

namespace Runtime.Shim.Streams;

/// <summary>
/// A container's log file in the kubelet's format: <c>TIME STREAM TAG TEXT\n</c>, TIME as RFC 3339 with nanoseconds, STREAM stdout
/// or stderr, TAG F for the end of a line and P for a part of one. Both streams append here, in the order they are read.
/// </summary>
/// <remarks>
/// On the I/O loop only, so a reopen falls between two entries. What a full disk does not take is dropped and counted, since a
/// blocked container is worse than a hole in its log.
/// </remarks>
internal sealed class CriLog
{
    private const int BatchBytes = 32 * 1024;

    /// <summary>Of a URI that asks for lines without an end: the memory that one may take.</summary>
    private const int MaxCarriedBytes = 1024 * 1024;

    private const int TimeBytes = 30;
    private static readonly byte[] Newline = [(byte)'\n'];

    private readonly CriLogUri _uri;
    private readonly TimeProvider _clock;
    private readonly byte[] _time = new byte[TimeBytes];
    private SafeFileHandle _file;
    private byte[] _batch = [];
    private int _batched;
    private long _size;
    private bool _isTorn;
    private int _streams;

    /// <exception cref="FaultException">The file cannot be made.</exception>
    public CriLog(CriLogUri uri, TimeProvider clock)
    {
        (_uri, _clock) = (uri, clock);
        MaxLineBytes = uri.MaxLineBytes is > 0 and < MaxCarriedBytes ? uri.MaxLineBytes : MaxCarriedBytes;
        _file = Open();
    }

    public int MaxLineBytes { get; }

    /// <summary>Bytes of entries that the disk did not take.</summary>
    public long DroppedBytes { get; private set; }

    /// <summary>A stream of this log; the file is closed when all have ended.</summary>
    public ISink Stream(bool isStderr)
    {
        _streams++;
        return new CriLogStream(this, isStderr);
    }

    /// <summary>Goes on in a new file at the path. A part of a line that is not written yet goes there whole.</summary>
    public void Reopen()
    {
        var file = Open();
        _file.Dispose();
        _file = file;
        _isTorn = false;
    }

    internal void StartBatch()
    {
        _batch = ArrayPool<byte>.Shared.Rent(BatchBytes);
        _batched = 0;
        FormatTime(_clock.GetUtcNow(), _time);
    }

    /// <summary>One entry, whose text is <paramref name="head"/> and then <paramref name="tail"/>.</summary>
    internal void Append(bool isStderr, bool isWhole, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
    {
        var prefix = isStderr ? (isWhole ? " stderr F "u8 : " stderr P "u8) : isWhole ? " stdout F "u8 : " stdout P "u8;
        var needed = TimeBytes + prefix.Length + head.Length + tail.Length + 1;
        if (_batch.Length - _batched < needed)
        {
            WriteOut();
            if (_batch.Length < needed)
            {
                ArrayPool<byte>.Shared.Return(_batch);
                _batch = ArrayPool<byte>.Shared.Rent(needed);
            }
        }
        Add(_time);
        Add(prefix);
        Add(head);
        Add(tail);
        Add(Newline);
    }

    internal void EndBatch()
    {
        WriteOut();
        ArrayPool<byte>.Shared.Return(_batch);
        _batch = [];
        if (_uri.MaxSizeBytes > 0 && _size >= _uri.MaxSizeBytes)
            Rotate();
    }

    internal void EndStream()
    {
        if (--_streams == 0)
            _file.Dispose();
    }

    /// <summary><c>2006-01-02T15:04:05.000000000Z</c></summary>
    internal static void FormatTime(DateTimeOffset time, Span<byte> into)
    {
        // O: 2006-01-02T15:04:05.0000000Z, seven digits.
        _ = Utf8Formatter.TryFormat(time.UtcDateTime, into, out _, 'O');
        into[27] = (byte)'0';
        into[28] = (byte)'0';
        into[29] = (byte)'Z';
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_batch.AsSpan(_batched));
        _batched += bytes.Length;
    }

    private void WriteOut()
    {
        // A write that stopped inside of an entry: the next one starts on a line of its own.
        if (_isTorn && _batched > 0 && RawIo.TryWrite(_file, Newline) == 1)
            _isTorn = false;
        var at = 0;
        while (at < _batched && !_isTorn)
        {
            var count = RawIo.TryWrite(_file, _batch.AsSpan(at, _batched - at));
            if (count <= 0)
                break;
            at += count;
        }
        if (at < _batched)
        {
            DroppedBytes += _batched - at;
            _isTorn |= at > 0 && _batch[at - 1] != (byte)'\n';
        }
        _size += at;
        _batched = 0;
    }

    /// <summary>Nobody rotates: the old half is kept once.</summary>
    private void Rotate()
    {
        try
        {
            File.Move(_uri.Path, _uri.Path + ".old", overwrite: true);
            Reopen();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or FaultException)
        {
            _size = 0; // tried again when as much has been written once more
        }
    }

    private SafeFileHandle Open()
    {
        var file = Descriptors.Open(
            _uri.Path, FileConstants.O_WRONLY | FileConstants.O_CREAT | FileConstants.O_APPEND, 0b110_100_000);
        _size = FileStatus.Of(file).Size;
        return file;
    }
}
