using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Runtime.Tests.Support;

/// <summary>Input that nobody would send by accident. What a test makes of a seed is always the same.</summary>
public static class Fuzz
{
    private const int DepthMax = 6;
    private const int ItemsMax = 4;

    private static readonly string[] Texts =
    [
        "", "a", "\0", "a\0b", "..", "../../etc/passwd", "/", "/proc/self/root", "/a/../b", "a/b", "a\nb", "=", "A=B", "%s%n", "\u202e",
        "\U0001F9E8", "sha256:0", "docker.io/library/busybox@sha256:", "localhost/", "-1", "4294967295", "99999999999999999999",
        "CAP_ALL", "SIGRTMIN+99", "/dev/null", "io.containerd.runc.v2", new('x', 300), new('/', 5000), new('9', 70_000),
    ];

    private static readonly long[] Numbers =
        [0, 1, -1, 2, 128, 1000, 1001, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue];

    /// <summary>Of each fuzz test. A minute in all in CI; ACTORD_FUZZ_SECONDS has them go on.</summary>
    public static int Seconds { get; } = int.Parse(
        Environment.GetEnvironmentVariable("ACTORD_FUZZ_SECONDS") ?? "10", CultureInfo.InvariantCulture);

    public static string Text(Random random) => Texts[random.Next(Texts.Length)];

    /// <summary>Sets some of a message's fields, at any depth, to any value that the wire can carry.</summary>
    /// <param name="text">The value of a text field, by its name; null for one of the usual.</param>
    /// <param name="percent">How many of the fields are set: with few, more of the message makes sense.</param>
    public static void Fill(IMessage message, Random random, Func<string, string?> text, int percent) =>
        new Filling(random, text, percent).Fill(message, 0);

    /// <summary>The same bytes with a few of them changed, left out or doubled.</summary>
    public static byte[] Damage(ReadOnlySpan<byte> bytes, Random random)
    {
        var damaged = bytes.ToArray().ToList();
        for (var change = random.Next(1, 6); change > 0 && damaged.Count > 0; change--)
        {
            var at = random.Next(damaged.Count);
            switch (random.Next(4))
            {
                case 0: damaged[at] = (byte)random.Next(256); break;
                case 1: damaged.RemoveRange(at, random.Next(damaged.Count - at) + 1); break;
                case 2: damaged.InsertRange(at, damaged.GetRange(at, Math.Min(64, damaged.Count - at))); break;
                default: damaged[at] ^= (byte)(1 << random.Next(8)); break;
            }
        }
        return [.. damaged];
    }

    private sealed class Filling(Random random, Func<string, string?> text, int percent)
    {
        public void Fill(IMessage message, int depth)
        {
            foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
            {
                if (random.Next(100) >= percent) continue;
                if (field.IsMap) FillMap(message, field, depth);
                else if (field.IsRepeated) FillList(message, field, depth);
                else field.Accessor.SetValue(message, Value(field, depth));
            }
        }

        private void FillList(IMessage message, FieldDescriptor field, int depth)
        {
            var list = (System.Collections.IList)field.Accessor.GetValue(message);
            for (var left = random.Next(ItemsMax); left > 0; left--)
                if (Value(field, depth) is { } value) list.Add(value);
        }

        private void FillMap(IMessage message, FieldDescriptor field, int depth)
        {
            var map = (System.Collections.IDictionary)field.Accessor.GetValue(message);
            var entry = field.MessageType;
            for (var left = random.Next(ItemsMax); left > 0; left--)
                if (Value(entry.FindFieldByNumber(2), depth) is { } value)
                    map[Value(entry.FindFieldByNumber(1), depth)!] = value;
        }

        private object? Value(FieldDescriptor field, int depth)
        {
            var number = Numbers[random.Next(Numbers.Length)];
            switch (field.FieldType)
            {
                case FieldType.String:
                    return text(field.Name) ?? Text(random);
                case FieldType.Bytes:
                    return ByteString.CopyFromUtf8(Text(random));
                case FieldType.Bool:
                    return random.Next(2) == 0;
                case FieldType.Int32:
                    return unchecked((int)number);
                case FieldType.UInt32:
                    return unchecked((uint)number);
                case FieldType.Int64:
                    return number;
                case FieldType.UInt64:
                    return unchecked((ulong)number);
                case FieldType.Double:
                    return (double)number;
                case FieldType.Enum:
                    return Enum.ToObject(field.EnumType.ClrType, random.Next(4) == 0 ? unchecked((int)number) : random.Next(4));
                case FieldType.Message when depth < DepthMax:
                    var inner = (IMessage)Activator.CreateInstance(field.MessageType.ClrType)!;
                    Fill(inner, depth + 1);
                    return inner;
                case FieldType.Message:
                    return null;
                default:
                    throw new NotSupportedException($"CRI has no {field.FieldType} so far.");
            }
        }
    }
}
