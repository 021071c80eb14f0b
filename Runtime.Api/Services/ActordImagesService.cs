using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using Actord.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Api.Edge;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>actord.v1.Images: what <c>actr images</c> does.</summary>
public sealed class ActordImagesService(RuntimeDomain domain, ActorEdge edge, TimeProvider clock) : Actord.V1.Images.ImagesBase
{
    /// <summary>Bytes of one export message: few enough to be sent at once, enough for full speed.</summary>
    private const int ChunkBytes = 256 * 1024;

    /// <summary>Between two progress messages: as often as a person can read them.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100);

    public override async Task Pull(
        PullRequest request, IServerStreamWriter<PullResponse> responseStream, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var reference = ImageNames.Normalise(request.Reference);
        var auth = request.Username.Length > 0 || request.Password.Length > 0
            ? new RegistryAuth(request.Username, request.Password, "", "", "")
            : null;
        var pull = PullAsync(new PullImage(space, reference, auth, request.Platform), context.CancellationToken);
        PullView? shown = null;
        while (await Task.WhenAny(pull, Task.Delay(ProgressInterval, clock, context.CancellationToken)) != pull)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            if (domain.Pulls.Find(space, reference) is not { } view || ReferenceEquals(view, shown)) continue;
            shown = view;
            await responseStream.WriteAsync(Progress(view), context.CancellationToken);
        }
        var pulled = await pull;
        var image = domain.ImageNames.Find(space, pulled.Name);
        await responseStream.WriteAsync(
            new PullResponse
            {
                Status = "done",
                Image = image is null
                    ? new Image { Name = pulled.Name, Id = pulled.ImageId, Digest = pulled.Digest }
                    : Record(space, image),
            },
            context.CancellationToken);
    }

    public override Task<ListImagesResponse> List(ListImagesRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var response = new ListImagesResponse();
        response.Images.AddRange(
            domain.ImageNames.In(space).Values
                .OrderBy(image => image.Name, StringComparer.Ordinal)
                .Select(image => Record(space, image)));
        return Task.FromResult(response);
    }

    public override async Task<TagImageResponse> Tag(TagImageRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        if (request.Target.Length == 0) throw new FaultException(FaultKind.InvalidArgument, "image.no-target", "target is empty.");
        var source = Named(space, request.Source);
        var tagged = await edge.AskAsync<ImageView>(
            new PutImage(space, request.Target, source.Target, source.Labels, request.Force), context.CancellationToken);
        return new TagImageResponse { Image = Record(space, tagged) };
    }

    public override async Task<RemoveImageResponse> Remove(RemoveImageRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var name = Named(space, request.Name).Name;
        await edge.AskAsync<ImageNameRemoved>(new RemoveImageName(space, name), context.CancellationToken);
        return new RemoveImageResponse();
    }

    public override async Task<ImportResponse> Import(
        IAsyncStreamReader<ImportRequest> requestStream, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        if (!await requestStream.MoveNext(context.CancellationToken))
            throw new FaultException(FaultKind.InvalidArgument, "import.empty", "The archive is empty.");
        var name = requestStream.Current.Name;
        var pipe = new Pipe();
        // Not awaited: it ends with the pipe or with the call, and hands its own failure to the importer.
        _ = FillAsync(requestStream, pipe.Writer, context.CancellationToken);
        ImmutableArray<ImageView> images;
        try
        {
            images = await domain.Archives.ImportAsync(
                space, pipe.Reader.AsStream(), name.Length > 0 ? name : null, context.CancellationToken);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
        }
        var response = new ImportResponse();
        response.Images.AddRange(images.Select(image => Record(space, image)));
        return response;
    }

    public override async Task Export(
        ExportRequest request, IServerStreamWriter<ExportResponse> responseStream, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        if (request.Names.Count == 0) throw new FaultException(FaultKind.InvalidArgument, "export.no-names", "names is empty.");
        var names = request.Names.Select(name => Named(space, name).Name).ToImmutableArray();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var pipe = new Pipe();
        var exporting = ExportAsync(space, names, pipe.Writer, ending.Token);
        try
        {
            await SendAsync(pipe.Reader, responseStream, ending.Token);
        }
        finally
        {
            // A client that is gone must not leave the export behind, waiting for room in the pipe.
            await ending.CancelAsync();
            await pipe.Reader.CompleteAsync();
            await exporting;
        }
    }

    /// <summary>Waits for a pull; a caller that goes away says so, because others may wait for the same one.</summary>
    private async Task<ImagePulled> PullAsync(PullImage pull, CancellationToken caller)
    {
        try
        {
            return await edge.AskAsync<ImagePulled>(pull, caller);
        }
        catch (OperationCanceledException)
        {
            edge.Tell(new CancelPull(pull.Space, pull.EntityId));
            throw;
        }
    }

    private static async Task FillAsync(
        IAsyncStreamReader<ImportRequest> requests, PipeWriter archive, CancellationToken cancellation)
    {
        try
        {
            do
            {
                var flushed = await archive.WriteAsync(requests.Current.Data.Memory, cancellation);
                if (flushed.IsCompleted) break;
            }
            while (await requests.MoveNext(cancellation));
            await archive.CompleteAsync();
        }
        // The importer reads it as the failure of its stream.
        catch (Exception cause)
        {
            await archive.CompleteAsync(cause);
        }
    }

    private async Task ExportAsync(
        NamespaceName space, ImmutableArray<string> names, PipeWriter archive, CancellationToken cancellation)
    {
        try
        {
            await domain.Archives.ExportAsync(space, names, archive.AsStream(leaveOpen: true), cancellation);
            await archive.CompleteAsync();
        }
        // The sender reads it as the failure of its stream.
        catch (Exception cause)
        {
            await archive.CompleteAsync(cause);
        }
    }

    private static async Task SendAsync(
        PipeReader archive, IServerStreamWriter<ExportResponse> responses, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await archive.ReadAsync(cancellation);
            var rest = read.Buffer;
            while (!rest.IsEmpty)
            {
                var piece = rest.Slice(0, Math.Min(ChunkBytes, rest.Length));
                await responses.WriteAsync(
                    new ExportResponse { Data = UnsafeByteOperations.UnsafeWrap(piece.ToArray()) }, cancellation);
                rest = rest.Slice(piece.End);
            }
            archive.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
        }
    }

    /// <summary>The image of a name, as stored or as a person writes it.</summary>
    private ImageView Named(NamespaceName space, string name) =>
        domain.ImageNames.Find(space, name)
        ?? (ImageNames.TryNormalise(name) is { } normal ? domain.ImageNames.Find(space, normal) : null)
        ?? throw new FaultException(FaultKind.NotFound, "image.not-found", $"image \"{name}\": not found");

    private Image Record(NamespaceName space, ImageView image)
    {
        var summary = domain.Images.Find(space, image.Name);
        var record = new Image
        {
            Name = image.Name,
            Id = summary?.Id ?? "",
            MediaType = image.Target.MediaType,
            Digest = image.Target.Digest,
            Size = summary?.Size ?? 0,
            CreatedAt = Timestamp.FromDateTimeOffset(image.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(image.UpdatedAt),
        };
        foreach (var (key, value) in image.Labels) record.Labels[key] = value;
        return record;
    }

    private static PullResponse Progress(PullView view)
    {
        var response = new PullResponse { Status = view.Status };
        response.Blobs.AddRange(view.Blobs.Select(blob => new Actord.V1.BlobProgress
        {
            Digest = blob.Digest,
            Status = blob.Status,
            Offset = blob.Offset,
            Total = blob.Total,
        }));
        return response;
    }
}
