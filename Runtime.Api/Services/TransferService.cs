using System.Collections.Immutable;
using System.Threading.Channels;
using Containerd.Services.Transfer.V1;
using Containerd.Types.Transfer;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Actors.Transfers;
using Runtime.Api.Edge;
using Runtime.Api.Streams;
using Runtime.Faults;
using Runtime.Oci.Images;
using ImageReference = Runtime.Oci.Images.ImageReference;

namespace Runtime.Api.Services;

/// <summary>
/// containerd.services.transfer.v1: pull, push, import, export and tag, by the types of source and destination. Credentials, archives
/// and progress go through streams that the client has opened.
/// </summary>
public sealed class TransferService(IImageTransfers transfers, StreamRegistry streams) : Transfer.TransferBase
{
    public override async Task<Empty> Transfer(TransferRequest request, ServerCallContext context)
    {
        var space = NamespaceHeader.Of(context);
        if (request.Source is null || request.Destination is null)
            throw new FaultException(FaultKind.InvalidArgument, "transfer.incomplete", "A transfer needs a source and a destination.");
        await using var told = new ProgressStream(
            request.Options?.ProgressStream is { Length: > 0 } id ? streams.Get(space, id) : null, context.CancellationToken);
        await RunAsync(space, request.Source, request.Destination, told.Tell, context.CancellationToken);
        return new Empty();
    }

    private async Task RunAsync(
        NamespaceName space, Any source, Any destination, Action<TransferProgress> progress, CancellationToken cancellation)
    {
        if (source.Holds(OCIRegistry.Parser, out var from) && destination.Holds(ImageStore.Parser, out var into))
            await transfers.PullAsync(space, await RegistryAsync(space, from, cancellation), ImagesOf(into), progress, cancellation);
        else if (source.Holds(ImageStore.Parser, out var pushed) && destination.Holds(OCIRegistry.Parser, out var to))
            await transfers.PushAsync(space, ImagesOf(pushed), await RegistryAsync(space, to, cancellation), progress, cancellation);
        else if (source.Holds(ImageStore.Parser, out var tagged) && destination.Holds(ImageStore.Parser, out var names))
            await transfers.TagAsync(space, ImagesOf(tagged), ImagesOf(names), cancellation);
        else if (source.Holds(ImageImportStream.Parser, out var import) && destination.Holds(ImageStore.Parser, out var imported))
            await ImportAsync(space, streams.Get(space, import.Stream), ImagesOf(imported), progress, cancellation);
        else if (source.Holds(ImageStore.Parser, out var exported) && destination.Holds(ImageExportStream.Parser, out var export))
            await ExportAsync(space, ImagesOf(exported), streams.Get(space, export.Stream), progress, cancellation);
        else
            throw new FaultException(FaultKind.Unimplemented, "transfer.unsupported", $"Cannot transfer {source.TypeUrl} to {destination.TypeUrl}.");
    }

    private async Task ImportAsync(
        NamespaceName space, ClientStream stream, ImageEnd into, Action<TransferProgress> progress, CancellationToken cancellation)
    {
        try
        {
            await using var archive = new ReceivedBytes(stream);
            await transfers.ImportAsync(space, archive, into, progress, cancellation);
        }
        finally
        {
            stream.Close();
        }
    }

    private async Task ExportAsync(
        NamespaceName space, ImageEnd from, ClientStream stream, Action<TransferProgress> progress, CancellationToken cancellation)
    {
        try
        {
            // Archives are written in small pieces, and a message each would be slow.
            await using var archive = new BufferedStream(new SentBytes(stream), 32 * 1024);
            await transfers.ExportAsync(space, from, archive, progress, cancellation);
            await archive.FlushAsync(cancellation);
        }
        finally
        {
            stream.Close();
        }
    }

    private async Task<RegistryEnd> RegistryAsync(NamespaceName space, OCIRegistry registry, CancellationToken cancellation)
    {
        var resolver = registry.Resolver ?? new RegistryResolver();
        var end = new RegistryEnd(registry.Reference)
        {
            HostDirectory = resolver.HostDir,
            DefaultScheme = resolver.DefaultScheme,
            Headers = resolver.Headers.ToImmutableSortedDictionary(StringComparer.Ordinal),
        };
        if (resolver.AuthStream.Length == 0) return end;
        var answer = await CredentialAsync(streams.Get(space, resolver.AuthStream), registry.Reference, cancellation);
        return answer.AuthType switch
        {
            AuthType.Credentials => end with { Auth = new RegistryAuth(answer.Username, answer.Secret, "", "", "") },
            AuthType.Refresh => end with { Auth = new RegistryAuth(answer.Username, "", answer.Secret, "", "") },
            AuthType.Header => end with { Headers = end.Headers.SetItem("Authorization", answer.Secret) },
            _ => end,
        };
    }

    /// <summary>Asks the client, once and before anything is sent, what it has for the reference's registry.</summary>
    private static async Task<AuthResponse> CredentialAsync(ClientStream stream, string reference, CancellationToken cancellation)
    {
        await stream.WriteAsync(
            new AuthRequest { Host = ImageReference.Parse(reference).Domain, Reference = reference }, cancellation);
        return await stream.ReadAsync(cancellation) is { } message && message.Holds(AuthResponse.Parser, out var answer)
            ? answer
            : new AuthResponse();
    }

    private static ImageEnd ImagesOf(ImageStore store) => new(store.Name)
    {
        Labels = Labels.Parse(store.Labels),
        Platforms = [.. store.Platforms.Select(PlatformOf)],
        AllMetadata = store.AllMetadata,
        MoreNames = [.. store.ExtraReferences.Where(reference => !reference.IsPrefix).Select(reference => reference.Name)],
        Unpack = [.. store.Unpacks.Select(unpack => (PlatformOf(unpack.Platform), unpack.Snapshotter))],
    };

    private static Platform PlatformOf(Containerd.Types.Platform? platform) => platform is null
        ? Platform.Host
        : new Platform
        {
            Os = platform.Os,
            Architecture = platform.Architecture,
            Variant = platform.Variant.Length > 0 ? platform.Variant : null,
        };

    /// <summary>Passes progress on in its order without waiting for the client; what a slow one misses is superseded anyway.</summary>
    private sealed class ProgressStream : IAsyncDisposable
    {
        private readonly ClientStream? _stream;
        private readonly Channel<TransferProgress> _waiting = Channel.CreateBounded<TransferProgress>(
            new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        private readonly Task _sending;

        public ProgressStream(ClientStream? stream, CancellationToken cancellation)
        {
            _stream = stream;
            _sending = stream is null ? Task.CompletedTask : SendAsync(stream, cancellation);
        }

        public void Tell(TransferProgress progress)
        {
            if (_stream is not null) _waiting.Writer.TryWrite(progress);
        }

        public async ValueTask DisposeAsync()
        {
            _waiting.Writer.Complete();
            // A client that does not listen any more loses nothing but this.
            await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stream?.Close();
        }

        private async Task SendAsync(ClientStream stream, CancellationToken cancellation)
        {
            await foreach (var progress in _waiting.Reader.ReadAllAsync(cancellation))
            {
                await stream.WriteAsync(
                    new Progress
                    {
                        Event = progress.Event,
                        Name = progress.Name,
                        Parents = { progress.Parents },
                        Progress_ = progress.Offset,
                        Total = progress.Total,
                        Desc = progress.Target is { } target ? DescriptorMessages.Of(target) : null,
                    },
                    cancellation);
            }
        }
    }
}
