using System.Globalization;
using System.Text;

namespace Runtime.Tests.Support;

/// <summary>Writes tar archives block by block, the malicious ones too, which no tool would write.</summary>
public sealed class TarBuilder
{
    private readonly List<byte> _tar = [];

    /// <summary>One header with its content. Numbers are octal as in ustar.</summary>
    public TarBuilder Add(
        char type, string name, byte[]? content = null, string link = "", uint mode = 0b110_100_100, uint uid = 0, uint gid = 0,
        long mtime = 1_600_000_000, long? size = null, (uint Major, uint Minor) device = default, Action<byte[]>? change = null)
    {
        var header = new byte[512];
        Put(header, 0, name);
        Put(header, 100, Octal(mode, 7));
        Put(header, 108, Octal(uid, 7));
        Put(header, 116, Octal(gid, 7));
        Put(header, 124, Octal(size ?? content?.Length ?? 0, 11));
        Put(header, 136, Octal(mtime, 11));
        header[156] = (byte)type;
        Put(header, 157, link);
        Put(header, 257, "ustar\0" + "00");
        Put(header, 329, Octal(device.Major, 7));
        Put(header, 337, Octal(device.Minor, 7));
        change?.Invoke(header);
        Sign(header);
        _tar.AddRange(header);
        return Raw(content ?? []);
    }

    public TarBuilder File(string name, string content = "x", uint mode = 0b110_100_100) =>
        Add('0', name, Encoding.UTF8.GetBytes(content), mode: mode);

    public TarBuilder Directory(string name, uint mode = 0b111_101_101, long mtime = 1_600_000_000) =>
        Add('5', name, mode: mode, mtime: mtime);

    public TarBuilder Symlink(string name, string target) => Add('2', name, link: target);

    public TarBuilder HardLink(string name, string target) => Add('1', name, link: target);

    /// <summary>A pax header about the next entry.</summary>
    public TarBuilder Pax(params (string Key, string Value)[] records) => Pax('x', records);

    public TarBuilder Pax(char type, params (string Key, string Value)[] records)
    {
        var data = new MemoryStream();
        foreach (var (key, value) in records)
        {
            var rest = Encoding.UTF8.GetByteCount($" {key}={value}\n");
            var length = rest;
            while (length != rest + length.ToString(CultureInfo.InvariantCulture).Length)
                length = rest + length.ToString(CultureInfo.InvariantCulture).Length;
            data.Write(Encoding.UTF8.GetBytes($"{length} {key}={value}\n"));
        }
        return Add(type, "pax", data.ToArray());
    }

    /// <summary>Content without a header, padded to a block.</summary>
    public TarBuilder Raw(byte[] content)
    {
        _tar.AddRange(content);
        _tar.AddRange(new byte[(512 - content.Length % 512) % 512]);
        return this;
    }

    /// <summary>Without the two zero blocks at the end.</summary>
    public byte[] Cut() => [.. _tar];

    public byte[] ToArray() => [.. Cut(), .. new byte[1024]];

    public MemoryStream ToStream() => new(ToArray());

    public static void Put(byte[] header, int offset, string text) => Encoding.UTF8.GetBytes(text, header.AsSpan(offset));

    private static string Octal(long value, int digits) => Convert.ToString(value, 8).PadLeft(digits, '0');

    private static void Sign(byte[] header)
    {
        header.AsSpan(148, 8).Fill((byte)' ');
        Put(header, 148, Octal(header.Sum(b => (long)b), 6) + "\0 ");
    }
}
