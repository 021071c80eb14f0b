using Microsoft.Data.Sqlite;
using Runtime.Faults;
using Runtime.Linux;
using SQLitePCL;

namespace Runtime.Actors.Journal;

public sealed partial class JournalStore
{
    private const int BackupPages = 1024; // copied between two looks at the cancellation: 4 MiB

    /// <inheritdoc/>
    public Task<long> BackupAsync(string path, CancellationToken cancellation) =>
        _readers.ReadAsync(queries => Backup(queries.Connection, path, cancellation), cancellation);

    // 1. a new file, never over an existing one; 2. all pages as of one moment, while the writer goes on;
    // 3. file and directory on the disk. A copy that did not succeed is removed.
    private static long Backup(SqliteConnection source, string path, CancellationToken cancellation)
    {
        try
        {
            JournalFile.Create(path).Dispose();
        }
        catch (IOException cause) when (File.Exists(path))
        {
            throw new FaultException(FaultKind.AlreadyExists, "backup.exists", $"{path} is there already.", cause);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.InvalidArgument, "backup.cannot-create", $"{path}: {cause.Message}", cause);
        }
        try
        {
            using (var copy = JournalFile.Connect(path)) Copy(source, copy, path, cancellation);
            Sync(path);
            return new FileInfo(path).Length;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private static void Copy(SqliteConnection source, SqliteConnection copy, string path, CancellationToken cancellation)
    {
        // The read transaction holds the moment: without it each commit in between would start the copy anew.
        JournalFile.Execute(source, "BEGIN");
        JournalFile.Execute(source, "SELECT count(*) FROM sqlite_schema");
        try
        {
            using var backup = raw.sqlite3_backup_init(copy.Handle!, "main", source.Handle!, "main");
            int code;
            while ((code = raw.sqlite3_backup_step(backup, BackupPages)) == raw.SQLITE_OK)
                cancellation.ThrowIfCancellationRequested();
            if (code != raw.SQLITE_DONE)
                throw JournalErrors.ToFault(new SqliteException("backup", code & 0xFF, code), path).ToException();
        }
        finally
        {
            JournalFile.Execute(source, "COMMIT");
        }
    }

    private static void Sync(string path)
    {
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(file);
        DirectorySync.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
