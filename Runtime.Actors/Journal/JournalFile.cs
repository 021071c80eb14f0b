using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>Makes, locks, checks and opens the SQLite file.</summary>
internal static class JournalFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // 2000 pages of 4 KiB. The checkpointer beside the writer keeps the log shorter than this; beyond it the writer helps.
    private const int CheckpointPagesMax = 2000;

    /// <summary>Makes the directory (0700) and an empty file (0600) where missing.</summary>
    public static void Ensure(string path)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        if (File.Exists(path)) File.SetUnixFileMode(path, OwnerOnly);
        else Create(path).Dispose();
    }

    /// <summary>A new file, readable by its owner only; its -wal and -shm files get the same mode from SQLite.</summary>
    public static FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.ReadWrite,
        UnixCreateMode = OwnerOnly,
    });

    /// <summary>Holds flock(2) on a file beside the journal; the kernel gives it back when the process dies.</summary>
    /// <exception cref="FaultException">FailedPrecondition: another daemon has it.</exception>
    /// <remarks>
    /// Not on the journal itself: SQLite's own locks are fcntl(2) locks, which vanish when any descriptor of the file is closed.
    /// </remarks>
    public static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(path + ".lock", new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = OwnerOnly,
            });
        }
        catch (IOException cause) when (cause.GetType() == typeof(IOException) && File.Exists(path + ".lock"))
        {
            throw new FaultException(FaultKind.FailedPrecondition, "journal.in-use",
                $"Journal {path} is in use by another process ({cause.Message}).", cause);
        }
    }

    /// <summary>The writer's connection: checks the file, and brings its tables up to date.</summary>
    public static SqliteConnection OpenWriter(JournalOptions options, ImmutableArray<string> migrations)
    {
        var connection = Connect(options.Path);
        try
        {
            var version = JournalSchema.VersionOf(connection);
            JournalSchema.Refuse(version, migrations, options.Path);
            if (version > 0) JournalInspection.Run(connection, options);
            if (SQLitePCL.raw.sqlite3_db_readonly(connection.Handle!, "main") == 1)
                throw new SqliteException("attempt to write a readonly database", 8);
            if (version == 0) Execute(connection, "PRAGMA auto_vacuum = INCREMENTAL");
            Execute(connection, "PRAGMA journal_mode = WAL");
            Execute(connection, $"PRAGMA synchronous = {(options.Synchronous == JournalSynchronous.Full ? "FULL" : "NORMAL")}");
            Execute(connection, $"PRAGMA wal_autocheckpoint = {CheckpointPagesMax}");
            Execute(connection, "PRAGMA journal_size_limit = 16777216"); // bytes that the -wal file keeps when idle
            JournalSchema.Upgrade(connection, migrations);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static SqliteConnection OpenReader(string path)
    {
        var connection = Connect(path);
        Execute(connection, "PRAGMA query_only = 1");
        return connection;
    }

    public static SqliteConnection Connect(string path)
    {
        // Pooling is ours: the provider's pool forgets prepared statements, and wakes up on a timer to prune itself.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA busy_timeout = 5000"); // ms
            Execute(connection, "PRAGMA temp_store = MEMORY");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var statement = new JournalStatement(connection, sql);
        statement.Run();
    }
}
