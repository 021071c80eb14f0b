using System.Buffers.Binary;
using System.Numerics;

namespace Runtime.Actors.Journal;

/// <summary>CRC-32C of an event, stored with it: SQLite itself does not notice a flipped bit in a text.</summary>
internal static class JournalChecksum
{
    public static long Of(long sequence, ReadOnlySpan<byte> payload)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, (ulong)sequence);
        for (; payload.Length >= sizeof(ulong); payload = payload[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(payload));
        foreach (var rest in payload) crc = BitOperations.Crc32C(crc, rest);
        return ~crc;
    }
}
