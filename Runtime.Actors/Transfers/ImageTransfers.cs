using System.Collections.Immutable;
using Runtime.Actors.Content;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Faults;
using Runtime.Oci.Images;
using Runtime.Oci.Registry;

namespace Runtime.Actors.Transfers;

/// <inheritdoc/>
/// <param name="unpackers">By snapshotter.</param>
public sealed partial class ImageTransfers(
    RegistryClient registry, ContentStore content, ReadModel<ContentView> records, ContentPins pins, ReadModel<ImageView> names,
    ImmutableDictionary<string, ImageUnpacker> unpackers, EntityRequests requests, IImageArchives archives, ImageOptions options,
    TimeProvider clock) : IImageTransfers
{
    public async Task TagAsync(NamespaceName space, ImageEnd source, ImageEnd destination, CancellationToken cancellation) =>
        await NameAsync(space, destination, TargetOf(Named(space, source.Name)), cancellation);

    public async Task ImportAsync(
        NamespaceName space, Stream archive, ImageEnd destination, Action<TransferProgress> progress, CancellationToken cancellation)
    {
        progress(TransferProgress.Of("Importing"));
        var imported = await archives.ImportAsync(space, archive, destination.Names.FirstOrDefault(), cancellation);
        foreach (var image in imported) progress(TransferProgress.Of("saved", image.Name, TargetOf(image)));
        progress(TransferProgress.Of("Completed import"));
    }

    public async Task ExportAsync(
        NamespaceName space, ImageEnd source, Stream archive, Action<TransferProgress> progress, CancellationToken cancellation)
    {
        progress(TransferProgress.Of("Exporting"));
        await archives.ExportAsync(space, [.. source.Names], archive, cancellation);
        progress(TransferProgress.Of("Completed export"));
    }

    private async Task NameAsync(NamespaceName space, ImageEnd end, Descriptor target, CancellationToken cancellation)
    {
        var named = new ImageTarget(target.MediaType, target.Digest.ToString(), target.Size);
        foreach (var name in end.Names)
            await requests.SendAsync<ImageView>(new PutImage(space, name, named, end.Labels, Replace: true), cancellation);
    }

    private ImageView Named(NamespaceName space, string name) =>
        names.Find(space, name) ?? throw new FaultException(ImageState.Missing(name));

    private static Descriptor TargetOf(ImageView image) => new()
    {
        MediaType = image.Target.MediaType,
        Digest = Digest.Parse(image.Target.Digest),
        Size = image.Target.Size,
    };

    private static RegistryCredential? CredentialOf(RegistryEnd end) => end.Auth is not { } auth
        ? null
        : new RegistryCredential
        {
            Username = auth.Username,
            Password = auth.Password,
            IdentityToken = auth.IdentityToken,
            RegistryToken = auth.RegistryToken,
            ServerAddress = auth.ServerAddress,
        };

    /// <summary>The hosts of the client's choice, with the headers that it gave.</summary>
    private ImmutableArray<RegistryHost> HostsOf(RegistryEnd end, ImageReference reference)
    {
        var hosts = registry.HostsOf(reference, end.HostDirectory);
        return
        [
            .. hosts.Select(host => host with
            {
                Root = end.DefaultScheme.Length > 0 && hosts.Length == 1 && host.IsOrigin
                    ? new UriBuilder(host.Root) { Scheme = end.DefaultScheme, Port = host.Root.IsDefaultPort ? -1 : host.Root.Port }.Uri
                    : host.Root,
                Headers = host.IsOrigin ? [.. host.Headers, .. end.Headers.Select(header => (header.Key, header.Value))] : host.Headers,
            }),
        ];
    }

    private static ImmutableArray<PlatformMatcher> MatchersOf(ImmutableArray<Platform> platforms) =>
        [.. platforms.Select(platform => new PlatformMatcher(platform))];
}
