using Runtime.Actors.Journal;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

public sealed class JournalHistoryTests : IAsyncLifetime
{
    private readonly TestJournal _journal = new();
    private JournalStore _store = null!;

    public ValueTask InitializeAsync()
    {
        _store = _journal.Open();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _store.Dispose();
        return _journal.DisposeAsync();
    }

    [Fact]
    public async Task A_container_and_its_task_are_one_history_in_order()
    {
        await _store.Append("container/k8s.io/0123abcd", 1);
        await _store.Append("task/k8s.io/0123abcd", 1);
        await _store.Append("container/k8s.io/0123abcd", 2);
        await _store.Append("container/k8s.io/9999abcd", 1);

        var history = await _store.History("0123abcd");

        Assert.Equal(
            [("container/k8s.io/0123abcd", 1L), ("task/k8s.io/0123abcd", 1), ("container/k8s.io/0123abcd", 2)],
            history.Select(entry => (entry.PersistenceId, entry.Sequence)));
        Assert.Equal(history, await _store.History("0123"));
        Assert.Equal(StoreCalls.Noon, history[0].At);
        Assert.Equal("""{"number":1}""", history[0].PayloadJson);
    }

    [Fact]
    public async Task An_id_with_slashes_is_found_by_itself_and_by_its_start()
    {
        await _store.Append("image/k8s.io/docker.io/library/busybox:latest", 1);
        Assert.Single(await _store.History("docker.io/library/busybox:latest"));
        Assert.Single(await _store.History("docker.io/"));
    }

    [Fact]
    public async Task An_exact_id_wins_over_longer_ones_that_start_with_it()
    {
        await _store.Append("note/test/web", 1);
        await _store.Append("note/test/webserver", 1);
        Assert.Equal("note/test/web", (await _store.History("web")).Single().PersistenceId);
    }

    [Theory]
    [InlineData("0123", FaultKind.InvalidArgument, "history.ambiguous-prefix")]
    [InlineData("012", FaultKind.InvalidArgument, "history.short-prefix")]
    [InlineData("", FaultKind.InvalidArgument, "history.short-prefix")]
    [InlineData("ffff", FaultKind.NotFound, "history.unknown-id")]
    [InlineData("%%%%", FaultKind.NotFound, "history.unknown-id")]
    [InlineData("0123*", FaultKind.NotFound, "history.unknown-id")]
    public async Task A_prefix_that_means_nobody_or_several_is_refused(string id, FaultKind kind, string code)
    {
        await _store.Append("note/test/0123aa", 1);
        await _store.Append("note/test/0123bb", 1);
        var fault = await StoreCalls.Fault(() => _store.History(id));
        Assert.Equal((kind, code), (fault.Kind, fault.Code));
    }

    [Fact]
    public async Task A_long_history_is_whole()
    {
        foreach (var chunk in Enumerable.Range(1, 1000).Select(n => (long)n).Chunk(100)) await _store.Append("note/test/long", chunk);
        Assert.Equal(Enumerable.Range(1, 1000).Select(n => (long)n), (await _store.History("long")).Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task A_backup_taken_while_events_are_written_is_a_whole_journal()
    {
        using var stop = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var writing = Task.Run(async () =>
        {
            for (var sequence = 1L; !stop.IsCancellationRequested; sequence++)
            {
                await _store.Append("note/test/busy", sequence * 2, (sequence * 2) + 1);
                if (sequence == 50) started.SetResult();
            }
        }, TestContext.Current.CancellationToken);
        await started.Task;
        var acknowledged = await _store.Highest("note/test/busy");
        var path = Path.Combine(_journal.Directory, "copy.db");

        var size = await _store.BackupAsync(path, TestContext.Current.CancellationToken);

        await stop.CancelAsync();
        await writing;
        Assert.Equal(new FileInfo(path).Length, size);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        using var copy = JournalStore.Open(new JournalOptions(path) { Check = JournalCheck.Full });
        var copied = await copy.Sequences("note/test/busy");
        Assert.Equal(Enumerable.Range(2, copied.Count).Select(n => (long)n), copied);
        Assert.True(copied.Count % 2 == 0, "half of an atomic batch was copied");
        Assert.True(copied[^1] >= acknowledged);
        await copy.Append("note/test/busy", copied[^1] + 1);
    }

    [Fact]
    public async Task A_backup_never_replaces_a_file()
    {
        var path = Path.Combine(_journal.Directory, "precious");
        await File.WriteAllTextAsync(path, "mine", TestContext.Current.CancellationToken);
        var fault = await StoreCalls.Fault(() => _store.BackupAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal((FaultKind.AlreadyExists, "backup.exists"), (fault.Kind, fault.Code));
        Assert.Equal("mine", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_backup_to_nowhere_says_so()
    {
        var fault = await StoreCalls.Fault(() =>
            _store.BackupAsync(Path.Combine(_journal.Directory, "no", "such", "copy.db"), TestContext.Current.CancellationToken));
        Assert.Equal("backup.cannot-create", fault.Code);
    }
}
