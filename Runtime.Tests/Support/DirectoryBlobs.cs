using Runtime.Faults;
using Runtime.Oci.Archives;
using Runtime.Oci.Images;
using Xunit;

namespace Runtime.Tests.Support;

/// <summary>Blobs as files of a directory, named by their digests' digits.</summary>
public sealed class DirectoryBlobs(string directory) : IBlobSink, IBlobSource
{
    public async Task<Digest> StoreAsync(Stream content, Digest expected, long size, CancellationToken cancellation)
    {
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, cancellation);
        var digest = Digest.Of(expected.IsEmpty ? DigestAlgorithm.Sha256 : expected.Algorithm, bytes.ToArray());
        Assert.Equal(size, bytes.Length);
        if (!expected.IsEmpty && digest != expected) throw new FaultException(FaultKind.DataLoss, "test.digest", $"{digest} came for {expected}.");
        await File.WriteAllBytesAsync(PathOf(digest), bytes.ToArray(), cancellation);
        return digest;
    }

    public async Task<byte[]?> ReadAsync(Digest digest, int maxBytes, CancellationToken cancellation) =>
        new FileInfo(PathOf(digest)) is { Exists: true } file && file.Length <= maxBytes
            ? await File.ReadAllBytesAsync(file.FullName, cancellation)
            : null;

    public Task<bool> HasAsync(Digest digest, CancellationToken cancellation) => Task.FromResult(File.Exists(PathOf(digest)));

    public Task<Stream?> OpenAsync(Digest digest, CancellationToken cancellation) =>
        Task.FromResult<Stream?>(File.Exists(PathOf(digest)) ? File.OpenRead(PathOf(digest)) : null);

    private string PathOf(Digest digest) => Path.Combine(Directory.CreateDirectory(directory).FullName, digest.Hex);
}
