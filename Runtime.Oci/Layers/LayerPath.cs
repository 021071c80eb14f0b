namespace Runtime.Oci.Layers;

/// <summary>A name of the archive, made relative to the layer's root: no empty part, no <c>.</c>, no <c>..</c>; NUL-terminated.</summary>
internal sealed class LayerPath
{
    /// <summary>PATH_MAX of the kernel, with the NUL.</summary>
    public const int MaxBytes = 4096;

    private readonly byte[] _bytes = new byte[MaxBytes];
    private int _length;
    private int _baseStart;

    /// <summary>Without its NUL; empty for the root itself.</summary>
    public ReadOnlySpan<byte> Path => _bytes.AsSpan(0, _length);

    /// <summary>The last part, without its NUL.</summary>
    public ReadOnlySpan<byte> Base => _bytes.AsSpan(_baseStart, _length - _baseStart);

    /// <summary>The last part, with its NUL.</summary>
    public ReadOnlySpan<byte> RawBase => _bytes.AsSpan(_baseStart, _length - _baseStart + 1);

    /// <summary>The directory that it is in; empty for the root.</summary>
    public ReadOnlySpan<byte> Parent => _bytes.AsSpan(0, Math.Max(0, _baseStart - 1));

    public bool IsRoot => _length == 0;

    /// <param name="what">What has the name, for messages.</param>
    /// <exception cref="Faults.FaultException"><c>layer.escapes-root</c> if <c>..</c> goes above the root; <c>layer.malformed</c></exception>
    public void Set(ReadOnlySpan<byte> name, string what)
    {
        (_length, _baseStart) = (0, 0);
        if (name.IsEmpty || name.Contains((byte)0))
            throw LayerFault.Malformed($"A {what} is empty or contains a NUL character.");
        foreach (var range in name.Split((byte)'/'))
        {
            var part = name[range];
            if (part.IsEmpty || part.SequenceEqual("."u8))
                continue;
            if (part.SequenceEqual(".."u8))
                GoUp(name, what);
            else
                Append(part, what);
        }
        _bytes[_length] = 0;
    }

    /// <summary>The target of a symlink in <paramref name="directory"/>, with the root as its world: <c>..</c> stops there.</summary>
    public void SetInside(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> target)
    {
        (_length, _baseStart) = (0, 0);
        byte[] whole = [.. directory, (byte)'/', .. target];
        foreach (var range in whole.AsSpan().Split((byte)'/'))
        {
            var part = whole.AsSpan(range);
            if (part.IsEmpty || part.SequenceEqual("."u8))
                continue;
            if (!part.SequenceEqual(".."u8))
                Append(part, "symlink");
            else if (_length > 0)
                GoUp(target, "symlink");
        }
        _bytes[_length] = 0;
    }

    private void GoUp(ReadOnlySpan<byte> name, string what)
    {
        if (_length == 0)
            throw LayerFault.EscapesRoot(name, what);
        _length = Math.Max(0, _baseStart - 1);
        _baseStart = _bytes.AsSpan(0, _length).LastIndexOf((byte)'/') + 1;
    }

    private void Append(ReadOnlySpan<byte> part, string what)
    {
        if (part.Length > 255 || _length + part.Length + 2 > MaxBytes)
            throw LayerFault.Malformed($"A {what} is longer than a path can be: '{LayerFault.Shown(part)}'.");
        if (_length > 0)
            _bytes[_length++] = (byte)'/';
        _baseStart = _length;
        part.CopyTo(_bytes.AsSpan(_length));
        _length += part.Length;
    }
}
