namespace Runtime.Oci.Layers;

/// <summary>Values are tar's type flags.</summary>
internal enum TarEntryType
{
    File = '0',
    HardLink = '1',
    Symlink = '2',
    CharDevice = '3',
    BlockDevice = '4',
    Directory = '5',
    Fifo = '6',
}

/// <param name="Offset">In the file.</param>
internal readonly record struct SparseSegment(long Offset, long Length);

/// <summary>One entry, with all extended headers resolved. Reused by the reader: valid until the next one is read.</summary>
internal sealed class TarEntry
{
    /// <summary>As the archive has it: not to be trusted.</summary>
    public byte[] Name { get; set; } = [];

    /// <summary>Target of a hard link or symlink.</summary>
    public byte[] LinkName { get; set; } = [];

    public TarEntryType Type { get; set; }

    /// <summary>Permission bits with set-user-id, set-group-id and sticky.</summary>
    public uint Mode { get; set; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    /// <summary>Bytes of a file; of a sparse one with its holes.</summary>
    public long Size { get; set; }

    public long ModifiedSeconds { get; set; }

    public uint ModifiedNanoseconds { get; set; }

    public uint DeviceMajor { get; set; }

    public uint DeviceMinor { get; set; }

    public List<(byte[] Name, byte[] Value)> Xattrs { get; } = [];

    /// <summary>Where the content goes; null for a file without holes.</summary>
    public List<SparseSegment>? Segments { get; set; }
}
