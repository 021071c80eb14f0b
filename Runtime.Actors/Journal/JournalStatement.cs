using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Runtime.Actors.Journal;

/// <summary>
/// A prepared statement that is kept for the life of its connection. It stands under Microsoft.Data.Sqlite's commands,
/// which look parameters up by name and copy every payload through a string: half the time of a small write.
/// Used by one thread at a time.
/// </summary>
internal sealed class JournalStatement : IDisposable
{
    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _statement;

    public JournalStatement(SqliteConnection connection, string sql)
    {
        _connection = connection.Handle ?? throw new InvalidOperationException("The connection is closed.");
        var code = raw.sqlite3_prepare_v2(_connection, sql, out _statement);
        if (code != raw.SQLITE_OK) throw Failure(code);
    }

    public JournalStatement Bind(int index, long value) => Checked(raw.sqlite3_bind_int64(_statement, index, value));

    public JournalStatement Bind(int index, string value) => Checked(raw.sqlite3_bind_text(_statement, index, value));

    /// <param name="value">UTF-8; SQLite copies it.</param>
    public JournalStatement Bind(int index, ReadOnlySpan<byte> value) =>
        Checked(raw.sqlite3_bind_text(_statement, index, value));

    /// <summary>True: a row is there. False: done, and ready to be used again.</summary>
    /// <exception cref="SqliteException">The statement failed; it is ready to be used again.</exception>
    public bool Step()
    {
        var code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW) return true;
        var failure = code == raw.SQLITE_DONE ? null : Failure(code);
        Reset();
        return failure is null ? false : throw failure;
    }

    /// <summary>Runs a statement that gives no rows, or whose rows do not matter.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>The first column of the only row, or null without one.</summary>
    public long? Scalar()
    {
        if (!Step()) return null;
        var value = Integer(0);
        Reset();
        return value;
    }

    /// <summary>Ends a query early; needed where rows may be left.</summary>
    public void Reset() => _ = raw.sqlite3_reset(_statement); // repeats the code of the last step, which was handled there

    public long Integer(int column) => raw.sqlite3_column_int64(_statement, column);

    public string Text(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string() ?? "";

    /// <summary>The bytes of a text or blob; valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public void Dispose() => _statement.Dispose();

    private JournalStatement Checked(int code) => code == raw.SQLITE_OK ? this : throw Failure(code);

    private SqliteException Failure(int code) =>
        new(raw.sqlite3_errmsg(_connection).utf8_to_string() ?? "", code & 0xFF, raw.sqlite3_extended_errcode(_connection));
}
