using Runtime.Faults;

namespace Runtime.Oci.Archives;

internal static class ArchiveFaults
{
    public static FaultException Malformed(string why, Exception? cause = null) =>
        new(FaultKind.InvalidArgument, "archive.malformed", $"The archive cannot be used: {why}.", cause);

    public static FaultException Incomplete(string why) =>
        new(FaultKind.InvalidArgument, "archive.incomplete", $"The archive cannot be used: {why}.");

    public static FaultException WrongDigest(string why) =>
        new(FaultKind.DataLoss, "archive.digest-mismatch", $"The archive is damaged: {why}.");
}
