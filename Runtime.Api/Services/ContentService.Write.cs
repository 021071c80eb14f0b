using Containerd.Services.Content.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Api.Edge;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Api.Services;

public sealed partial class ContentService
{
    /// <summary>
    /// One writer, from its first message to the end of the stream. Each message is answered: where the ingest stands, how it was
    /// written to, or what it was committed as.
    /// </summary>
    public override async Task Write(
        IAsyncStreamReader<WriteContentRequest> requestStream, IServerStreamWriter<WriteContentResponse> responseStream,
        ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        if (!await requestStream.MoveNext(context.CancellationToken)) return;
        var first = requestStream.Current;
        if (first.Ref.Length == 0)
            throw new FaultException(FaultKind.InvalidArgument, "content.no-ref", "first message must have a reference: invalid argument");
        var (expected, total) = (Expected(first), first.Total);
        using var writer = await Catalog.OpenWriterAsync(
            space, first.Ref, expected, total, LeaseHeader.Of(context), context.CancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, writer.Aborted);
        try
        {
            do
            {
                var request = requestStream.Current;
                if (request.Expected.Length > 0) expected = NotThere(space, writer, Expected(request));
                if (request.Total > 0) total = request.Total;
                await responseStream.WriteAsync(await AnswerAsync(request, writer, expected, total, ending.Token), ending.Token);
                if (request.Action is WriteAction.Commit) return;
            }
            while (await requestStream.MoveNext(ending.Token));
        }
        catch (OperationCanceledException) when (writer.Aborted.IsCancellationRequested)
        {
            throw new FaultException(FaultKind.Aborted, "content.aborted", $"The ingest \"{first.Ref}\" was aborted.");
        }
    }

    private static Digest Expected(WriteContentRequest request) => request.Expected.Length > 0 ? Digest.Parse(request.Expected) : default;

    // Somebody else was quicker: what was written so far is of no use.
    private Digest NotThere(NamespaceName space, ContentWriter writer, Digest expected)
    {
        if (!Catalog.In(space).ContainsKey(expected.ToString())) return expected;
        writer.Abort();
        throw new FaultException(FaultKind.AlreadyExists, "content.exists", $"blob with expected digest {expected} exists: already exists");
    }

    private static async Task<WriteContentResponse> AnswerAsync(
        WriteContentRequest request, ContentWriter writer, Digest expected, long total, CancellationToken cancellation)
    {
        var answer = new WriteContentResponse { Action = request.Action };
        if (request.Action is WriteAction.Stat)
        {
            var (startedAt, updatedAt) = writer.Times;
            answer.StartedAt = Timestamp.FromDateTimeOffset(startedAt);
            answer.UpdatedAt = Timestamp.FromDateTimeOffset(updatedAt);
            answer.Total = total;
            answer.Digest = writer.Digest.ToString();
        }
        else
        {
            Append(request, writer);
            answer.Digest = (request.Action is WriteAction.Commit
                ? await writer.CommitAsync(total, expected, Labels.Parse(request.Labels), cancellation)
                : writer.Digest).ToString();
        }
        answer.Offset = writer.Offset;
        return answer;
    }

    // An offset that is given has to be where the ingest stands; 0 begins anew.
    private static void Append(WriteContentRequest request, ContentWriter writer)
    {
        if (request.Offset > 0 && request.Offset != writer.Offset)
            throw new FaultException(FaultKind.OutOfRange, "content.wrong-offset",
                $"write @{request.Offset} must occur at current offset {writer.Offset}: out of range");
        if (request.Offset == 0 && writer.Offset > 0) writer.Truncate(0);
        if (request.Data.Length > 0) writer.Write(request.Data.Span);
    }
}
