using Containerd.Services.Images.V1;
using Containerd.Types;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Images;
using Runtime.Api.Edge;
using Runtime.Api.Filters;
using Runtime.Faults;

namespace Runtime.Api.Services;

/// <summary>containerd.services.images.v1: image names and what they point to.</summary>
public sealed class ImagesService(RuntimeDomain domain) : Images.ImagesBase
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
