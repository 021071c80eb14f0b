using Microsoft.Win32.SafeHandles;

namespace Runtime.Oci.Layers;

/// <summary>
/// Handles of directories that were used last: entries of one directory follow each other in a layer. Forgets everything when a
/// directory or symlink is removed, since then a path may lead elsewhere.
/// </summary>
internal sealed class DirectoryCache : IDisposable
{
    /// <summary>A directory, its parents and their next siblings.</summary>
    private const int Capacity = 16;

    private readonly List<(byte[] Path, SafeFileHandle Handle)> _entries = [];

    public SafeFileHandle? Find(ReadOnlySpan<byte> path)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            var entry = _entries[i];
            if (!path.SequenceEqual(entry.Path))
                continue;
            if (i < _entries.Count - 1)
            {
                _entries.RemoveAt(i);
                _entries.Add(entry);
            }
            return entry.Handle;
        }
        return null;
    }

    /// <summary>Takes the handle over.</summary>
    public void Add(ReadOnlySpan<byte> path, SafeFileHandle handle)
    {
        if (_entries.Count == Capacity)
        {
            _entries[0].Handle.Dispose();
            _entries.RemoveAt(0);
        }
        _entries.Add((path.ToArray(), handle));
    }

    public void Forget()
    {
        foreach (var (_, handle) in _entries)
            handle.Dispose();
        _entries.Clear();
    }

    public void Dispose() => Forget();
}
