using Actord.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors.Journal;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>actord.v1.Journal: what happened, and a copy of it.</summary>
public sealed class ActordJournalService(IJournalReader journal) : Actord.V1.Journal.JournalBase
{
    public override async Task History(
        HistoryRequest request, IServerStreamWriter<HistoryResponse> responseStream, ServerCallContext context)
    {
        if (request.Id.Length == 0) throw new FaultException(FaultKind.InvalidArgument, "history.no-id", "id is empty.");
        await foreach (var entry in journal.HistoryAsync(request.Id, context.CancellationToken))
        {
            var response = new HistoryResponse
            {
                Ordering = entry.Ordering,
                At = Timestamp.FromDateTimeOffset(entry.At),
                Entity = entry.PersistenceId,
                Sequence = entry.Sequence,
                Manifest = entry.Manifest,
                Payload = entry.PayloadJson,
            };
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    public override async Task<BackupResponse> Backup(BackupRequest request, ServerCallContext context)
    {
        if (!Path.IsPathRooted(request.Path) || request.Path.Contains('\0', StringComparison.Ordinal))
            throw new FaultException(FaultKind.InvalidArgument, "backup.invalid-path", $"path \"{request.Path}\" must be absolute.");
        return new BackupResponse { Size = await journal.BackupAsync(request.Path, context.CancellationToken) };
    }
}
