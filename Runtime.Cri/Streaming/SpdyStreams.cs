namespace Runtime.Cri.Streaming;

/// <summary>The open streams of a connection, by their number. Thread-safe: the reader and those who write share it.</summary>
internal sealed class SpdyStreams
{
    private readonly Dictionary<uint, SpdyStream> _streams = [];

    public int Count
    {
        get
        {
            lock (_streams) return _streams.Count;
        }
    }

    public void Add(SpdyStream stream)
    {
        lock (_streams) _streams.Add(stream.Id, stream);
    }

    /// <summary>Null where there is none.</summary>
    public SpdyStream? Find(uint id)
    {
        lock (_streams) return _streams.GetValueOrDefault(id);
    }

    /// <summary>The stream that was there; null for none.</summary>
    public SpdyStream? Remove(uint id)
    {
        lock (_streams) return _streams.Remove(id, out var stream) ? stream : null;
    }

    public SpdyStream[] ToArray()
    {
        lock (_streams) return [.. _streams.Values];
    }

    /// <summary>Those that were there.</summary>
    public SpdyStream[] Clear()
    {
        lock (_streams)
        {
            SpdyStream[] all = [.. _streams.Values];
            _streams.Clear();
            return all;
        }
    }
}
