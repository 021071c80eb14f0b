using Runtime.Oci.Images;

namespace Runtime.Actors.Pulls;

/// <summary>How far a pull is: written by its threads, read by its actor. Thread-safe.</summary>
public sealed class PullProgress(string reference, DateTimeOffset startedAt)
{
    private readonly Lock _lock = new();
    private readonly List<Digest> _order = [];
    private readonly Dictionary<Digest, BlobProgress> _blobs = [];
    private string _status = "resolving";
    private PullView? _view;

    public void Report(string status)
    {
        lock (_lock)
        {
            _status = status;
            _view = null;
        }
    }

    /// <summary>A blob that the pull needs.</summary>
    /// <param name="status">As in <see cref="BlobProgress"/>.</param>
    public void Add(Descriptor blob, string status)
    {
        lock (_lock)
        {
            if (!_blobs.TryAdd(blob.Digest, new(blob.Digest.ToString(), status, status is "waiting" ? 0 : blob.Size, blob.Size))) return;
            _order.Add(blob.Digest);
            _view = null;
        }
    }

    public void Report(Digest blob, string status, long offset)
    {
        lock (_lock)
        {
            if (!_blobs.TryGetValue(blob, out var known)) return;
            _blobs[blob] = known with { Status = status, Offset = offset };
            _view = null;
        }
    }

    /// <summary>The same object while nothing changes.</summary>
    public PullView View()
    {
        lock (_lock) return _view ??= new(reference, startedAt, _status, [.. _order.Select(digest => _blobs[digest])]);
    }
}
