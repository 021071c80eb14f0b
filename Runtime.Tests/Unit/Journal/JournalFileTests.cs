using System.Collections.Immutable;
using System.Text;
using Microsoft.Data.Sqlite;
using Runtime.Actors.Journal;
using Runtime.Faults;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

/// <summary>The file: its modes, its lock, its schema, its damage, and what a person reads in it.</summary>
public sealed class JournalFileTests : IAsyncLifetime
{
    private readonly TestJournal _journal = new();

    private string Path => _journal.Options.Path;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    [Fact]
    public async Task Directory_and_files_are_the_owners_alone()
    {
        var path = System.IO.Path.Combine(_journal.Directory, "new", "journal.db");
        using var store = JournalStore.Open(new JournalOptions(path));
        await store.Append("note/test/a", 1);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(System.IO.Path.GetDirectoryName(path)!));
        foreach (var file in Directory.GetFiles(System.IO.Path.GetDirectoryName(path)!))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.True(File.Exists(path + "-wal"));
    }

    [Fact]
    public void A_second_daemon_is_refused_while_the_first_runs_and_welcome_after_it()
    {
        using (_journal.Open())
        {
            var fault = StoreCalls.Fault(() => _journal.Open());
            Assert.Equal((FaultKind.FailedPrecondition, "journal.in-use"), (fault.Kind, fault.Code));
        }
        _journal.Open().Dispose();
    }

    [Fact]
    public void A_newer_schema_is_refused_and_left_as_it_is()
    {
        _journal.Open().Dispose();
        Execute("PRAGMA user_version = 99");
        var before = File.ReadAllBytes(Path);
        var fault = StoreCalls.Fault(() => _journal.Open());
        Assert.Equal((FaultKind.FailedPrecondition, "journal.newer-schema"), (fault.Kind, fault.Code));
        Assert.Contains("99", fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(Path));
    }

    [Fact]
    public async Task An_older_schema_is_brought_up_to_date_and_keeps_its_events()
    {
        using (var old = _journal.Open()) await old.Append("note/test/a", 1, 2);
        ImmutableArray<string> migrations =
        [
            .. JournalSchema.Migrations,
            "ALTER TABLE entities ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'; CREATE TABLE first(x)",
            "UPDATE entities SET colour = 'blue'; CREATE TABLE second(x)",
        ];
        using (var upgraded = JournalStore.Open(_journal.Options, migrations))
        {
            Assert.Equal([1, 2], await upgraded.Sequences("note/test/a"));
            await upgraded.Append("note/test/a", 3);
        }
        Assert.Equal("blue", Query("SELECT colour FROM entities"));
        Assert.Equal($"{migrations.Length}", Query("PRAGMA user_version"));
        // Once only: the tables would be there already.
        JournalStore.Open(_journal.Options, migrations).Dispose();
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_the_version_before_it()
    {
        using (var old = _journal.Open()) await old.Append("note/test/a", 1);
        StoreCalls.Fault(() => JournalStore.Open(_journal.Options,
            [.. JournalSchema.Migrations, "CREATE TABLE half(x); INSERT INTO missing VALUES (1)"]));
        Assert.Equal("0", Query("SELECT count(*) FROM sqlite_schema WHERE name = 'half'"));
        Assert.Equal($"{JournalSchema.Migrations.Length}", Query("PRAGMA user_version"));
        using var again = _journal.Open();
        Assert.Equal([1], await again.Sequences("note/test/a"));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_data_loss_and_is_not_touched()
    {
        await File.WriteAllTextAsync(Path, new string('x', 8192), TestContext.Current.CancellationToken);
        var fault = StoreCalls.Fault(() => _journal.Open());
        Assert.Equal((FaultKind.DataLoss, "journal.corrupt"), (fault.Kind, fault.Code));
        Assert.Contains(Path, fault.Message, StringComparison.Ordinal);
        Assert.Equal(new string('x', 8192), await File.ReadAllTextAsync(Path, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(JournalCheck.Quick)]
    [InlineData(JournalCheck.Full)]
    public async Task Overwritten_pages_are_found_when_the_journal_is_opened(JournalCheck check)
    {
        await FillAsync();
        var bytes = await File.ReadAllBytesAsync(Path, TestContext.Current.CancellationToken);
        for (var page = 8; page < 16; page++) Array.Fill(bytes, (byte)0xA5, page * 4096, 64);
        await File.WriteAllBytesAsync(Path, bytes, TestContext.Current.CancellationToken);

        var fault = StoreCalls.Fault(() => JournalStore.Open(_journal.Options with { Check = check }));

        Assert.Equal((FaultKind.DataLoss, "journal.corrupt"), (fault.Kind, fault.Code));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_flipped_bit_in_a_payload_is_found_by_the_full_check_and_by_the_replay()
    {
        await FillAsync();
        var bytes = await File.ReadAllBytesAsync(Path, TestContext.Current.CancellationToken);
        var text = Encoding.UTF8.GetBytes("""{"number":77}""");
        for (int at = 0, next; (next = bytes.AsSpan(at).IndexOf(text)) >= 0; at += next + 1)
            bytes[at + next + 10] ^= 1; // 77 becomes 67: well-formed JSON, and a well-formed page
        await File.WriteAllBytesAsync(Path, bytes, TestContext.Current.CancellationToken);

        var found = StoreCalls.Fault(() => JournalStore.Open(_journal.Options with { Check = JournalCheck.Full }));
        Assert.Equal((FaultKind.DataLoss, "journal.corrupt-event"), (found.Kind, found.Code));
        Assert.Contains("event 77 of note/test/a", found.Message, StringComparison.Ordinal);

        using var store = _journal.Open();
        var replayed = await StoreCalls.Fault(() => store.Sequences("note/test/a"));
        Assert.Equal((FaultKind.DataLoss, "journal.corrupt-event"), (replayed.Kind, replayed.Code));
    }

    [Theory]
    [InlineData(JournalSynchronous.Normal, "1")]
    [InlineData(JournalSynchronous.Full, "2")]
    public async Task The_configured_synchronous_level_is_the_writers(JournalSynchronous level, string expected)
    {
        using var store = JournalStore.Open(_journal.Options with { Synchronous = level });
        var found = await store.ChangeAsync(session =>
        {
            using var pragma = new JournalStatement(session.Connection, "PRAGMA synchronous");
            return pragma.Scalar();
        }, TestContext.Current.CancellationToken);
        Assert.Equal(expected, $"{found}");
        Assert.Equal("wal", Query("PRAGMA journal_mode"));
    }

    [Fact]
    public async Task A_stored_event_reads_as_its_golden_row()
    {
        using (var store = _journal.Open())
        {
            var written = new JournalTypes(NoteJournal.Types).Write(7, new Noted("h\u00e4llo \"world\"", 42));
            await store.AppendAsync(
                "note/k8s.io/docker.io/a:1", [written], StoreCalls.Noon.AddTicks(1234567), TestContext.Current.CancellationToken);
        }
        var golden = System.IO.Path.Combine(Artifacts.Checkout, "Runtime.Tests", "Golden", "journal.note.noted.v1.txt");
        var row = Query(
            """
            SELECT 'view: ' || ordering || '|' || time || '|' || persistence_id || '|' || sequence_nr || '|' || manifest || '|' || payload
              || char(10) || (SELECT 'event: ' || ordering || '|' || entity || '|' || sequence_nr || '|' || at || '|' || manifest || '|' || crc || '|' || payload FROM events)
              || char(10) || (SELECT 'entity: ' || id || '|' || persistence_id || '|' || entity_id || '|' || highest_sequence_nr || '|' || deleted_to || '|' || ended_to || '|' || ended_at || '|' || ended FROM entities)
            FROM history
            """);
        Assert.Equal((await File.ReadAllTextAsync(golden, TestContext.Current.CancellationToken)).TrimEnd('\n'), row);
    }

    private async Task FillAsync()
    {
        using var store = _journal.Open();
        foreach (var chunk in Enumerable.Range(1, 3000).Select(n => (long)n).Chunk(100)) await store.Append("note/test/a", chunk);
    }

    private void Execute(string sql)
    {
        using var connection = JournalFile.Connect(Path);
        JournalFile.Execute(connection, sql);
    }

    private string Query(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False;Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return $"{command.ExecuteScalar()}";
    }
}
