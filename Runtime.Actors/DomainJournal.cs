using System.Collections.Immutable;
using Runtime.Actors.ClientTasks;
using Runtime.Actors.Containers;
using Runtime.Actors.Images;
using Runtime.Actors.Journal;
using Runtime.Actors.Leases;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Records;
using Runtime.Actors.SandboxRecords;
using Runtime.Actors.Sandboxes;

namespace Runtime.Actors;

/// <summary>Every event that any slice writes.</summary>
public static class DomainJournal
{
    public static ImmutableArray<JournalType> Types { get; } =
    [
        .. SandboxJournal.Types,
        .. ContainerJournal.Types,
        .. RecordJournal.Types,
        .. LeaseJournal.Types,
        .. NamespaceJournal.Types,
        .. SandboxRecordJournal.Types,
        .. ClientTaskJournal.Types,
        .. ImageComposition.JournalTypes,
    ];
}
