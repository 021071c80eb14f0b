using System.Net;
using System.Net.Http.Headers;

namespace Runtime.Oci.Registry;

/// <summary>The bytes of a blob as a request's body, with its length known, and progress on the way.</summary>
internal sealed class UploadContent : HttpContent
{
    private const int BufferBytes = 128 * 1024;

    private readonly Func<Stream> _open;
    private readonly long _size;
    private readonly IProgress<long> _sent;

    public UploadContent(Func<Stream> open, long size, IProgress<long> sent)
    {
        (_open, _size, _sent) = (open, size, sent);
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _size;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var source = _open();
        var buffer = new byte[BufferBytes];
        var sent = 0L;
        for (int read; (read = await source.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            _sent.Report(sent += read);
        }
    }
}
