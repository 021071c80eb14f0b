using System.Globalization;
using System.Text;
using Runtime.Linux.Files;

namespace Runtime.Oci.Layers;

/// <summary>
/// Writes the entries of a layer: ustar headers (<see cref="TarFormat"/>), with a pax header before where something does not fit
/// into one. Values of extended attributes are bytes, which no text-based writer carries.
/// </summary>
internal sealed class LayerWriter(Stream tar)
{
    private const int NameMax = 100;
    private const long OctalMax7 = 0x1FFFFF; // seven octal digits
    private const long SizeMax = 0x1FFFFFFFF; // eleven

    /// <param name="type">The type flag: <c>0</c> file, <c>1</c> hard link, <c>2</c> symbolic link, <c>3</c> and <c>4</c> devices, <c>5</c> directory, <c>6</c> fifo.</param>
    /// <param name="content">Read for exactly the size of <paramref name="status"/>; null for what has none.</param>
    public async Task WriteAsync(
        string name, char type, string link, FileStatus status, IReadOnlyList<(string Name, byte[] Value)> xattrs, Stream? content,
        CancellationToken cancellation)
    {
        var size = content is null ? 0 : status.Size;
        var records = new MemoryStream();
        if (!Fits(name)) Record(records, "path", Encoding.UTF8.GetBytes(name));
        if (!Fits(link)) Record(records, "linkpath", Encoding.UTF8.GetBytes(link));
        if (size > SizeMax) Record(records, "size", Number(size));
        if (status.Uid > OctalMax7) Record(records, "uid", Number(status.Uid));
        if (status.Gid > OctalMax7) Record(records, "gid", Number(status.Gid));
        if (status.ModifiedNanoseconds > 0)
            Record(records, "mtime", Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{status.ModifiedSeconds}.{status.ModifiedNanoseconds:D9}")));
        foreach (var (key, value) in xattrs) Record(records, $"SCHILY.xattr.{key}", value);
        if (records.Length > 0)
        {
            await tar.WriteAsync(Header("PaxHeaders.0/entry", 'x', "", default, records.Length), cancellation);
            await PaddedAsync(records.ToArray(), cancellation);
        }
        await tar.WriteAsync(Header(name, type, link, status, size), cancellation);
        if (content is not null) await CopyAsync(content, size, name, cancellation);
    }

    /// <summary>Two empty blocks.</summary>
    public ValueTask EndAsync(CancellationToken cancellation) => tar.WriteAsync(new byte[2 * TarFormat.BlockSize], cancellation);

    private static bool Fits(string text) => text.Length <= NameMax && text.All(char.IsAscii);

    private static byte[] Number(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    // "LENGTH KEY=VALUE\n", where the length counts its own digits.
    private static void Record(MemoryStream records, string key, byte[] value)
    {
        var rest = Encoding.UTF8.GetByteCount(key) + value.Length + 3;
        var length = rest + Digits(rest);
        if (Digits(length) > Digits(rest)) length++;
        records.Write(Encoding.UTF8.GetBytes($"{length} {key}="));
        records.Write(value);
        records.WriteByte((byte)'\n');

        static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
    }

    private static byte[] Header(string name, char type, string link, FileStatus status, long size)
    {
        var block = new byte[TarFormat.BlockSize];
        Put(0, NameMax, name);
        Octal(100, 8, status.Permissions);
        Octal(108, 8, Math.Min(status.Uid, OctalMax7));
        Octal(116, 8, Math.Min(status.Gid, OctalMax7));
        Octal(124, 12, Math.Min(size, SizeMax));
        Octal(136, 12, Math.Clamp(status.ModifiedSeconds, 0, SizeMax));
        block[156] = (byte)type;
        Put(157, NameMax, link);
        Put(257, 8, "ustar\0" + "00");
        if (type is '3' or '4')
        {
            Octal(329, 8, status.DeviceMajor);
            Octal(337, 8, status.DeviceMinor);
        }
        block.AsSpan(148, 8).Fill((byte)' ');
        Octal(148, 7, block.Sum(one => (long)one));
        return block;

        void Put(int at, int room, string text)
        {
            var bytes = Encoding.ASCII.GetBytes(text);
            bytes.AsSpan(0, Math.Min(bytes.Length, room)).CopyTo(block.AsSpan(at));
        }

        void Octal(int at, int room, long number) =>
            Put(at, room, Convert.ToString(number, 8).PadLeft(room - 1, '0') + '\0');
    }

    private async Task CopyAsync(Stream content, long size, string name, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        for (var left = size; left > 0;)
        {
            var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellation);
            if (read == 0) throw new IOException($"{name} became shorter while it was read.");
            await tar.WriteAsync(buffer.AsMemory(0, read), cancellation);
            left -= read;
        }
        await tar.WriteAsync(new byte[Padding(size)], cancellation);
    }

    private async Task PaddedAsync(byte[] bytes, CancellationToken cancellation)
    {
        await tar.WriteAsync(bytes, cancellation);
        await tar.WriteAsync(new byte[Padding(bytes.Length)], cancellation);
    }

    private static int Padding(long size) => (int)((TarFormat.BlockSize - (size % TarFormat.BlockSize)) % TarFormat.BlockSize);
}
