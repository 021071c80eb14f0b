using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Records;

/// <summary>The ways in which container records are refused; their words are containerd's, which its clients show.</summary>
internal static class RecordFaults
{
    public static RuntimeFault Exists(string id) =>
        new(FaultKind.AlreadyExists, "container.exists", $"container \"{id}\": already exists");

    public static RuntimeFault Missing(NamespaceName space, string id) =>
        new(FaultKind.NotFound, "container.not-found", $"container \"{id}\" in namespace \"{space}\": not found");

    public static RuntimeFault OfPod(string id) => new(FaultKind.FailedPrecondition, "container.of-pod",
        $"container \"{id}\" is a pod's, and is changed and removed through CRI: failed precondition");

    public static RuntimeFault Immutable(string id, string path) => Invalid(id, $"field {path} cannot be changed");

    /// <summary>Why a record cannot be as it is; null where it can.</summary>
    public static RuntimeFault? Refuse(ContainerRecord record) => record switch
    {
        _ when !NamespaceName.IsIdentifier(record.Id) => Invalid(record.Id,
            $"its id must be 1 to {NamespaceName.LengthMax} letters and digits, joined by '.', '-' or '_'"),
        { Runtime.Length: 0 } => Invalid(record.Id, "runtime.name must be set"),
        { Spec: null } => Invalid(record.Id, "spec must be set"),
        { SnapshotKey.Length: > 0, Snapshotter.Length: 0 } => Invalid(record.Id, "snapshotter must be set where snapshot_key is"),
        _ when record.Extensions.ContainsKey("") => Invalid(record.Id, "the keys of extensions must not be empty"),
        _ => null,
    };

    private static RuntimeFault Invalid(string id, string what) =>
        new(FaultKind.InvalidArgument, "container.invalid-record", $"container \"{id}\": {what}: invalid argument");
}
