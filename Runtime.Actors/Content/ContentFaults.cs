using Runtime.Faults;
using Runtime.Linux;
using Runtime.Oci.Images;

namespace Runtime.Actors.Content;

/// <summary>The ways in which the content store refuses.</summary>
internal static class ContentFaults
{
    public static FaultException NotFound(Digest digest) =>
        new(FaultKind.NotFound, "content.not-found", $"content {digest}: not found");

    public static FaultException NoIngest(string reference) =>
        new(FaultKind.NotFound, "content.no-ingest", $"ingest reference \"{reference}\": not found");

    public static FaultException Locked(string reference) =>
        new(FaultKind.Unavailable, "content.locked", $"Another writer has the ingest \"{reference}\": try again when it is done.");

    public static FaultException Exists(Digest digest) =>
        new(FaultKind.AlreadyExists, "content.exists", $"content {digest}: already exists");

    public static FaultException UnexpectedDigest(Digest expected, Digest actual) => new(
        FaultKind.FailedPrecondition, "content.unexpected-digest", $"unexpected commit digest {actual}, expected {expected}: failed precondition");

    public static FaultException UnexpectedSize(string reference, long expected, long actual) => new(
        FaultKind.FailedPrecondition, "content.unexpected-size",
        $"\"{reference}\" failed size validation: {actual} != {expected}: failed precondition");

    public static FaultException WrongDigest(string reference, Digest expected, Digest actual) => new(
        FaultKind.DataLoss, "content.digest-mismatch",
        $"The bytes of \"{reference}\" have the digest {actual} instead of {expected}; they were thrown away.");

    public static FaultException WrongSize(string reference, long expected, long actual) => new(
        FaultKind.DataLoss, "content.size-mismatch",
        $"\"{reference}\" has {actual} bytes instead of {expected}; they were thrown away.");

    public static FaultException WrongOffset(string reference, long stored, long given) => new(
        FaultKind.OutOfRange, "content.wrong-offset", $"\"{reference}\" has {stored} bytes: writing at {given} would leave a gap or change them.");

    /// <summary>A full disk as what it is; any other trouble of a file as Unknown, with its path.</summary>
    public static FaultException Disk(string path, IOException cause) => cause.HResult is Errno.ENOSPC or Errno.EDQUOT
        ? new(FaultKind.ResourceExhausted, "content.disk-full", $"{path}: no space is left on the device.", cause)
        : new(FaultKind.Unknown, "content.io", $"{path}: {cause.Message}", cause);
}
