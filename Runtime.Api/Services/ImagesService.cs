using Containerd.Services.Images.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;
using Runtime.Oci.Images;

namespace Runtime.Api.Services;

/// <summary>containerd.services.images.v1: image names and what they point to.</summary>
public sealed class ImagesService(RuntimeDomain domain, ActorEdge edge) : Images.ImagesBase
{
    public override Task<GetImageResponse> Get(GetImageRequest request, ServerCallContext context) =>
        domain.ImageNames.Find(NamespaceHeader.Of(context), request.Name) is { } image
            ? Task.FromResult(new GetImageResponse { Image = Record(image) })
            : throw new FaultException(FaultKind.NotFound, "image.not-found", $"image \"{request.Name}\": not found");

    public override Task<ListImagesResponse> List(ListImagesRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var filters = FilterList.Parse(request.Filters);
        var response = new ListImagesResponse();
        response.Images.AddRange(
            domain.ImageNames.In(space).Values
                .Where(image => filters.Matches(path => Field(image, path)))
                .OrderBy(image => image.Name, StringComparer.Ordinal)
                .Select(Record));
        return Task.FromResult(response);
    }

    public override async Task<CreateImageResponse> Create(CreateImageRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var image = Named(request.Image);
        var target = Target(image.Target);
        using var used = await UseAsync(target, context.CancellationToken);
        var create = new CreateImageName(space, image.Name, target, Labels.Parse(image.Labels));
        return new() { Image = Record(await edge.AskAsync<ImageView>(create, context.CancellationToken)) };
    }

    public override async Task<UpdateImageResponse> Update(UpdateImageRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        var image = Named(request.Image);
        var paths = request.UpdateMask?.Paths ?? [];
        var target = paths.Count == 0 || paths.Contains("target") ? Target(image.Target) : null;
        var names = paths.Where(path => path.StartsWith("labels.", StringComparison.Ordinal)).Select(path => path["labels.".Length..]).ToList();
        if (paths.FirstOrDefault(path => path is not ("target" or "labels") && !path.StartsWith("labels.", StringComparison.Ordinal)) is { } other)
            throw new FaultException(FaultKind.InvalidArgument, "mask.unknown-field",
                $"cannot update \"{other}\" field on image \"{image.Name}\": invalid argument");
        var all = paths.Count == 0 || paths.Contains("labels");
        using var used = target is null ? null : await UseAsync(target, context.CancellationToken);
        var update = new UpdateImageName(
            space, image.Name, target, all || names.Count > 0 ? Labels.Parse(image.Labels) : null, all ? default : [.. names]);
        return new() { Image = Record(await edge.AskAsync<ImageView>(update, context.CancellationToken)) };
    }

    public override async Task<Empty> Delete(DeleteImageRequest request, ServerCallContext context)
    {
        var remove = new RemoveImageName(NamespaceHeader.Of(context), request.Name) { TargetDigest = request.Target?.Digest ?? "" };
        await edge.AskAsync<ImageNameRemoved>(remove, context.CancellationToken);
        if (request.Sync) await domain.Content!.Sweep.CollectAsync(scope: null, context.CancellationToken);
        return new();
    }

    // What it names is not collected while it gets its name.
    private async Task<ContentPins.PinSet> UseAsync(ImageTarget target, CancellationToken cancellation)
    {
        var used = domain.Content!.Pins.Begin();
        foreach (var digest in domain.Content.Inspector.Reachable(target.Digest)) await used.AddAsync(digest.ToString(), cancellation);
        return used;
    }

    private static Image Named(Image? image) => image is { Name.Length: > 0 } ? image : throw Invalid("image name must not be empty");

    private static ImageTarget Target(ContentDescriptor? target) => target switch
    {
        null => throw Invalid("Target must be set"),
        { Size: <= 0 } => throw Invalid("Target.Size must be greater than zero"),
        { MediaType.Length: 0 } => throw Invalid("Target.MediaType must be set"),
        _ => new ImageTarget(target.MediaType, Digest.Parse(target.Digest).ToString(), target.Size),
    };

    private static FaultException Invalid(string what) =>
        new(FaultKind.InvalidArgument, "image.invalid", $"{what}: invalid argument");

    private static string? Field(ImageView image, ReadOnlySpan<string> path) => path switch
    {
        ["name"] => image.Name,
        ["target", "digest"] => image.Target.Digest,
        ["target", "mediatype"] => image.Target.MediaType,
        ["labels", ..] => FieldPaths.Label(image.Labels, path),
        _ => null,
    };

    private static Image Record(ImageView image)
    {
        var record = new Image
        {
            Name = image.Name,
            Target = new ContentDescriptor
            {
                MediaType = image.Target.MediaType,
                Digest = image.Target.Digest,
                Size = image.Target.Size,
            },
            CreatedAt = Timestamp.FromDateTimeOffset(image.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(image.UpdatedAt),
        };
        foreach (var (key, value) in image.Labels) record.Labels[key] = value;
        return record;
    }
}
