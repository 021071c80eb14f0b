using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;

namespace Runtime.Cri.Streaming;

/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
internal readonly record struct TerminalSize(uint Width, uint Height);

/// <summary>
/// The resize stream: JSON objects {"Width":80,"Height":24}, one behind the other. Only the newest counts, and it waits until
/// there is a process.
/// </summary>
internal sealed class TerminalSizes
{
    /// <summary>More than this without an end is no size.</summary>
    private const int ObjectBytesMax = 1024;

    private readonly Channel<TerminalSize> _newest = Channel.CreateBounded<TerminalSize>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true, SingleWriter = true });

    public ChannelReader<TerminalSize> Newest => _newest.Reader;

    /// <summary>Until the stream's end, or until it is no stream of sizes.</summary>
    public async Task ReadAsync(ClientStream stream, CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                var read = await stream.Input.ReadAsync(cancellation);
                var rest = Take(read.Buffer);
                var used = read.Buffer.Length - rest.Length;
                stream.Input.AdvanceTo(rest.Start, rest.End);
                await stream.ConsumedAsync(used, cancellation);
                if (read.IsCompleted || rest.Length > ObjectBytesMax) return;
            }
        }
        catch (JsonException)
        {
            // The terminal keeps the size that it has.
        }
        finally
        {
            _newest.Writer.TryComplete();
            await stream.Input.CompleteAsync();
        }
    }

    /// <returns>What is not whole yet.</returns>
    private ReadOnlySequence<byte> Take(ReadOnlySequence<byte> bytes)
    {
        var reader = new Utf8JsonReader(
            bytes, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = 4 }));
        while (JsonDocument.TryParseValue(ref reader, out var document))
        {
            using (document)
                if (SizeOf(document.RootElement) is { } size) _newest.Writer.TryWrite(size);
            bytes = bytes.Slice(reader.Position);
            reader = new Utf8JsonReader(
                bytes, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { AllowMultipleValues = true, MaxDepth = 4 }));
        }
        return bytes;
    }

    private static TerminalSize? SizeOf(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new JsonException("A terminal's size is an object.");
        uint width = 0, height = 0;
        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetUInt16(out var number)) continue;
            if (property.Name.Equals("Width", StringComparison.OrdinalIgnoreCase)) width = number;
            else if (property.Name.Equals("Height", StringComparison.OrdinalIgnoreCase)) height = number;
        }
        return width > 0 && height > 0 ? new TerminalSize(width, height) : null;
    }
}
