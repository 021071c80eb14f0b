using Runtime.Actors.Pulls;

namespace Runtime.Actors.Transfers;

/// <summary>Tells what changed of a pull's progress, some times a second and once at its end.</summary>
internal sealed class ProgressFeed(PullProgress progress, string parent, Action<TransferProgress> tell, TimeProvider clock)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, BlobProgress> _told = [];

    public async Task<T> WatchAsync<T>(Task<T> work)
    {
        while (!work.IsCompleted)
        {
            TellChanges();
            await Task.WhenAny(work, Task.Delay(Period, clock));
        }
        TellChanges();
        return await work;
    }

    private void TellChanges()
    {
        foreach (var blob in progress.View().Blobs)
        {
            if (_told.TryGetValue(blob.Digest, out var before) && before == blob) continue;
            _told[blob.Digest] = blob;
            tell(new TransferProgress(EventOf(blob.Status), blob.Digest, [parent], blob.Offset, blob.Total, null));
        }
    }

    private static string EventOf(string status) => status switch
    {
        "unpacking" => "extracting",
        "done" => "complete",
        "exists" => "already exists",
        _ => status,
    };
}
