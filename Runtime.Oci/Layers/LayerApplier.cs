using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Runtime.Linux;
using Runtime.Linux.Files;
using static Runtime.Linux.Files.FileConstants;

namespace Runtime.Oci.Layers;

/// <summary>
/// Applies a layer (OCI image-spec 1.1, layer.md) to a directory. The stream is hostile: no name, link or symlink of it leads out of
/// the directory, and everything it can ask for is bounded. Owner, mode, times, extended attributes, devices and holes are kept.
/// </summary>
public sealed partial class LayerApplier : IDisposable
{
    private readonly LayerOptions _options;
    private readonly RootDirectory _root;
    private readonly LayerParents _parents;
    private readonly LayerTree _tree;
    private readonly TarReader _reader;
    private readonly LayerPath _path = new();
    private readonly LayerPath _target = new();

    /// <summary>What this layer itself has: a whiteout is about the layers below. A hash each, because there can be millions.</summary>
    private readonly HashSet<UInt128> _own = [];

    private readonly List<(byte[] Path, long Seconds, uint Nanoseconds)> _directoryTimes = [];
    private long _bytes;
    private long _entries;
    private long _skippedXattrs;
    private byte[] _lastParent = [];

    private LayerApplier(Stream tar, string root, LayerOptions options)
    {
        _options = options;
        _root = RootDirectory.Open(root);
        _parents = new(options.Whiteouts == WhiteoutMode.Overlay ? options.Lowers : []);
        _tree = new(_root, _parents);
        _reader = new(tar, options.MaxHeaderBytes);
    }

    /// <summary>Applies a layer; the files are blocking I/O on a pool thread.</summary>
    /// <param name="tar">Uncompressed (<see cref="LayerDecompression"/>). Read to its end, beyond the archive's, so that what hashes
    /// it sees all of it; not closed.</param>
    /// <param name="root">An existing directory. After a failure it holds a part of the layer: remove it.</param>
    /// <exception cref="Faults.FaultException">InvalidArgument <c>layer.escapes-root</c>, <c>layer.malformed</c>, <c>layer.truncated</c>,
    /// <c>layer.too-big</c>, <c>layer.unsupported-entry</c>, <c>layer.link-target-missing</c>; or a failed system call's</exception>
    public static Task<LayerReport> ApplyAsync(
        Stream tar, string root, LayerOptions? options = null, CancellationToken cancel = default) => Task.Run(async () =>
        {
            using var applier = new LayerApplier(tar, root, options ?? new());
            return await applier.ApplyAsync(cancel);
        }, cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _tree.Dispose();
        _parents.Dispose();
        _root.Dispose();
    }

    private async Task<LayerReport> ApplyAsync(CancellationToken cancel)
    {
        while (await _reader.ReadAsync(cancel))
        {
            if (++_entries > _options.MaxEntries)
                throw LayerFault.TooBig($"The layer has more than {_options.MaxEntries} entries.");
            if (_reader.Consumed > _options.MaxBytes)
                throw LayerFault.TooBig($"The layer has more than {_options.MaxBytes} bytes.");
            _path.Set(_reader.Entry.Name, "name");
            if (!TryWhiteout())
                await ApplyEntryAsync(_reader.Entry, cancel);
        }
        SetDirectoryTimes();
        await _reader.DrainAsync(_options.MaxBytes, cancel);
        return new(_bytes, _entries, _tree.Inodes, _skippedXattrs, _tree.MadeParents);
    }

    private async ValueTask ApplyEntryAsync(TarEntry entry, CancellationToken cancel)
    {
        Own(_path.Path);
        switch (entry.Type)
        {
            case TarEntryType.Directory:
                ApplyDirectory(entry);
                break;
            case TarEntryType.File:
                using (var file = _tree.MakeFile(_path))
                {
                    await WriteContentAsync(file, entry, cancel);
                    SetAttributes(file, entry);
                    SetTimes(file, entry);
                }
                break;
            case TarEntryType.HardLink:
                // The attributes are the target's. A chown here would take its file capabilities away.
                _target.Set(entry.LinkName, "hard link");
                _tree.MakeHardLink(_path, _target);
                break;
            case TarEntryType.Symlink:
                if (entry.LinkName.Length is 0 or >= LayerPath.MaxBytes)
                    throw LayerFault.Malformed($"The symlink '{LayerFault.Shown(_path.Path)}' has an empty or too long target.");
                _tree.MakeSymlink(_path, [.. entry.LinkName, 0]);
                SetNodeAttributes(entry);
                break;
            case TarEntryType.CharDevice:
                _tree.MakeNode(_path, S_IFCHR | 0b110_000_000, Inodes.Device(entry.DeviceMajor, entry.DeviceMinor));
                SetNodeAttributes(entry);
                break;
            case TarEntryType.BlockDevice:
                _tree.MakeNode(_path, S_IFBLK | 0b110_000_000, Inodes.Device(entry.DeviceMajor, entry.DeviceMinor));
                SetNodeAttributes(entry);
                break;
            case TarEntryType.Fifo:
                _tree.MakeNode(_path, S_IFIFO | 0b110_000_000, 0);
                SetNodeAttributes(entry);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private void ApplyDirectory(TarEntry entry)
    {
        var (directory, before) = _tree.MakeDirectory(_path);
        SetAttributes(directory, entry);
        // The layer deleted what was here, and then has a directory: what is below must not shine through.
        if (_options.Whiteouts == WhiteoutMode.Overlay && before is { IsWhiteout: true })
            MarkOpaque(directory);
        // At the end: what comes into the directory changes its time.
        _directoryTimes.Add((_path.Path.ToArray(), entry.ModifiedSeconds, entry.ModifiedNanoseconds));
    }

    private async ValueTask WriteContentAsync(SafeFileHandle file, TarEntry entry, CancellationToken cancel)
    {
        if (entry.Segments is { } segments)
        {
            await WriteSegmentsAsync(file, entry, segments, cancel);
            return;
        }
        while (await _reader.ReadContentAsync(cancel) is { IsEmpty: false } piece)
            Write(file, piece.Span);
    }

    private async ValueTask WriteSegmentsAsync(
        SafeFileHandle file, TarEntry entry, List<SparseSegment> segments, CancellationToken cancel)
    {
        if (FileCalls.ftruncate(file, entry.Size) < 0)
            throw Errno.Fault("ftruncate", LayerFault.Shown(_path.Path));
        var piece = ReadOnlyMemory<byte>.Empty;
        foreach (var (offset, length) in segments)
        {
            if (length == 0)
                continue;
            if (FileCalls.lseek(file, offset, 0) < 0)
                throw Errno.Fault("lseek", LayerFault.Shown(_path.Path));
            for (var left = length; left > 0;)
            {
                if (piece.IsEmpty)
                    piece = await _reader.ReadContentAsync(cancel);
                var count = (int)Math.Min(left, piece.Length);
                Write(file, piece.Span[..count]);
                piece = piece[count..];
                left -= count;
            }
        }
    }

    private void Write(SafeFileHandle file, ReadOnlySpan<byte> piece)
    {
        _bytes += piece.Length;
        if (_bytes > _options.MaxBytes)
            throw LayerFault.TooBig($"The layer has more than {_options.MaxBytes} bytes.");
        Descriptors.Write(file, piece);
    }

    /// <summary>Remembers a path with its parents: a directory that holds something of this layer is of this layer.</summary>
    private void Own(ReadOnlySpan<byte> path)
    {
        _own.Add(KeyOf(path));
        var parent = ParentOf(path);
        if (parent.SequenceEqual(_lastParent))
            return;
        _lastParent = parent.ToArray();
        for (; !parent.IsEmpty && _own.Add(KeyOf(parent)); parent = ParentOf(parent))
        {
        }
    }

    private static ReadOnlySpan<byte> ParentOf(ReadOnlySpan<byte> path) => path[..Math.Max(0, path.LastIndexOf((byte)'/'))];

    private static UInt128 KeyOf(ReadOnlySpan<byte> path)
    {
        // Not a quick hash: a collision that somebody can make would save a file from its whiteout.
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(path, hash);
        return System.Runtime.InteropServices.MemoryMarshal.Read<UInt128>(hash);
    }
}
