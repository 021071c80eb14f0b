namespace Runtime.Cri.Streaming;

/// <summary>Reads a connection: short pieces through a small buffer, long ones straight to where they belong.</summary>
internal sealed class SpdyReader(Stream transport, IdleWatch idle)
{
    private readonly byte[] _buffer = new byte[1024];
    private int _start;
    private int _end;

    /// <summary>Fills all of it.</summary>
    /// <returns>False when the connection ends before the first byte.</returns>
    /// <exception cref="SpdyProtocolException">It ends in the middle.</exception>
    public async ValueTask<bool> FillAsync(Memory<byte> target, CancellationToken cancellation)
    {
        for (var filled = 0; filled < target.Length;)
        {
            var count = await ReadAsync(target[filled..], cancellation);
            if (count == 0) return filled == 0 ? false : throw CutOff();
            filled += count;
        }
        return true;
    }

    /// <summary>Reads some bytes, at least one.</summary>
    /// <returns>0 at the connection's end.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellation)
    {
        if (_start == _end)
        {
            if (target.Length >= _buffer.Length) return Moved(await transport.ReadAsync(target, cancellation));
            (_start, _end) = (0, Moved(await transport.ReadAsync(_buffer, cancellation)));
        }
        var count = Math.Min(target.Length, _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(target);
        _start += count;
        return count;
    }

    /// <summary>Passes over bytes that nobody wants.</summary>
    public async ValueTask SkipAsync(int count, CancellationToken cancellation)
    {
        var dropped = new byte[Math.Min(count, 4096)];
        while (count > 0)
        {
            var got = await ReadAsync(dropped.AsMemory(0, Math.Min(count, dropped.Length)), cancellation);
            if (got == 0) throw CutOff();
            count -= got;
        }
    }

    public static SpdyProtocolException CutOff() => new("The connection ended in the middle of a frame.");

    private int Moved(int count)
    {
        if (count > 0) idle.Touch();
        return count;
    }
}
