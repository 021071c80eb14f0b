using Microsoft.Data.Sqlite;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>The one place where SQLite's result codes (https://sqlite.org/rescode.html) become faults.</summary>
internal static class JournalErrors
{
    private const int Busy = 5;
    private const int Locked = 6;
    private const int NoMemory = 7;
    private const int ReadOnly = 8;
    private const int IoError = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int TooBig = 18;
    private const int Constraint = 19;
    private const int NotADatabase = 26;

    // The shared-memory file could not grow: the disk is full, though the code is that of an I/O error.
    private const int IoErrorShmSize = IoError | (19 << 8);

    /// <summary>True when it is certain that nothing was stored, and that a later attempt may succeed.</summary>
    public static bool IsRejection(RuntimeFault fault) =>
        fault.Kind is FaultKind.ResourceExhausted or FaultKind.PermissionDenied or FaultKind.InvalidArgument;

    public static Exception Map(Exception cause, string path) =>
        cause is SqliteException sqlite ? ToFault(sqlite, path).ToException(sqlite) : cause;

    public static RuntimeFault ToFault(SqliteException cause, string path) => cause switch
    {
        { SqliteErrorCode: Full } or { SqliteExtendedErrorCode: IoErrorShmSize } => new(
            FaultKind.ResourceExhausted, "journal.disk-full",
            $"Journal {path}: no space left. Nothing was stored; make room and try again."),
        { SqliteErrorCode: ReadOnly } => new(
            FaultKind.PermissionDenied, "journal.read-only",
            $"Journal {path} cannot be written: the file or its file system is read-only."),
        { SqliteErrorCode: TooBig } => new(
            FaultKind.InvalidArgument, "journal.event-too-large", $"Journal {path}: an event is larger than SQLite stores."),
        { SqliteErrorCode: Constraint } => new(
            FaultKind.AlreadyExists, "journal.duplicate-sequence",
            $"Journal {path}: this sequence number is taken ({cause.Message})."),
        { SqliteErrorCode: Corrupt or NotADatabase } => Damaged(path, cause.Message),
        { SqliteErrorCode: Busy or Locked } => new(
            FaultKind.Unavailable, "journal.busy", $"Journal {path}: another process holds its lock."),
        { SqliteErrorCode: NoMemory } => new(
            FaultKind.ResourceExhausted, "journal.no-memory", $"Journal {path}: SQLite is out of memory."),
        { SqliteErrorCode: CannotOpen } => new(
            FaultKind.Unavailable, "journal.cannot-open", $"Journal {path} cannot be opened: {cause.Message}"),
        { SqliteErrorCode: IoError } => new(
            FaultKind.Unavailable, "journal.io-error",
            $"Journal {path}: the disk failed ({cause.Message}, SQLite {cause.SqliteExtendedErrorCode})."),
        _ => new(
            FaultKind.Internal, "journal.sqlite",
            $"Journal {path}: {cause.Message} (SQLite {cause.SqliteExtendedErrorCode})."),
    };

    public static RuntimeFault Damaged(string path, string finding) => new(
        FaultKind.DataLoss, "journal.corrupt",
        $"Journal {path} is damaged: {finding}. It was left as it is. Restore a backup, or move the file away to start " +
        "with an empty journal; running pods are then unknown to the daemon.");

    public static RuntimeFault DamagedEvent(string path, string persistenceId, long sequence) => new(
        FaultKind.DataLoss, "journal.corrupt-event",
        $"Journal {path}: event {sequence} of {persistenceId} is not what was stored: its checksum differs.");
}
