using System.Collections.Immutable;
using Grpc.Core;
using Runtime.Actors;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Api.Edge;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;
using Runtime.Oci.Images;

namespace Runtime.Cri;

/// <summary>runtime.v1.ImageService: images for the kubelet.</summary>
public sealed class CriImageService(RuntimeDomain domain, ActorEdge edge) : ImageService.ImageServiceBase
{
    /// <summary>Images of one message of a streamed list.</summary>
    private const int StreamBatch = 500;

    private static NamespaceName Space => NamespaceName.Kubernetes;

    public override Task<ListImagesResponse> ListImages(ListImagesRequest request, ServerCallContext context)
    {
        var response = new ListImagesResponse();
        response.Images.AddRange(Images(request.Filter).Select(ImageMapping.ToWire));
        return Task.FromResult(response);
    }

    public override async Task StreamImages(
        StreamImagesRequest request, IServerStreamWriter<StreamImagesResponse> responseStream, ServerCallContext context)
    {
        foreach (var batch in Images(request.Filter).Chunk(StreamBatch))
        {
            var response = new StreamImagesResponse();
            response.Images.AddRange(batch.Select(ImageMapping.ToWire));
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    /// <summary>An image that is not there is an answer without an image, not an error.</summary>
    public override Task<ImageStatusResponse> ImageStatus(ImageStatusRequest request, ServerCallContext context)
    {
        var response = new ImageStatusResponse();
        if (domain.Images.Find(Space, ImageMapping.ReferenceOf(request.Image)) is not { } image) return Task.FromResult(response);
        response.Image = ImageMapping.ToWire(image);
        if (request.Verbose) response.Info["info"] = InfoJson.OfImage(image, domain.Images.ReadConfig(image.Id));
        return Task.FromResult(response);
    }

    /// <summary>Always asks the registry, with the caller's credentials; pulls of one reference share the download.</summary>
    public override async Task<PullImageResponse> PullImage(PullImageRequest request, ServerCallContext context)
    {
        var parsed = ImageReference.Parse(ImageMapping.ReferenceOf(request.Image));
        var reference = parsed.ToString();
        var auth = ImageMapping.FromWire(request.Auth, parsed.Domain);
        try
        {
            var pulled = await edge.AskAsync<ImagePulled>(new PullImage(Space, reference, auth, ""), context.CancellationToken);
            return new PullImageResponse { ImageRef = pulled.ImageId };
        }
        catch (OperationCanceledException)
        {
            edge.Tell(new CancelPull(Space, reference));
            throw;
        }
    }

    public override async Task<RemoveImageResponse> RemoveImage(RemoveImageRequest request, ServerCallContext context)
    {
        await domain.Images.RemoveAsync(Space, ImageMapping.ReferenceOf(request.Image), context.CancellationToken);
        return new RemoveImageResponse();
    }

    /// <summary>Images and writable layers share a file system: both are the same numbers.</summary>
    public override async Task<ImageFsInfoResponse> ImageFsInfo(ImageFsInfoRequest request, ServerCallContext context)
    {
        var usage = await domain.Images.UsageAsync(context.CancellationToken);
        return new ImageFsInfoResponse { ImageFilesystems = { Wire(usage) }, ContainerFilesystems = { Wire(usage) } };
    }

    private ImmutableArray<ImageSummary> Images(ImageFilter? filter)
    {
        if (filter?.Image?.Image is not { Length: > 0 } reference) return domain.Images.List(Space);
        return domain.Images.Find(Space, reference) is { } image ? [image] : [];
    }

    private static FilesystemUsage Wire(ImageFileSystem usage) => new()
    {
        Timestamp = WireTime.Nanoseconds(usage.At),
        FsId = new FilesystemIdentifier { Mountpoint = usage.Mountpoint },
        UsedBytes = new UInt64Value { Value = (ulong)usage.UsedBytes },
        InodesUsed = new UInt64Value { Value = (ulong)usage.InodesUsed },
    };
}
