using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Network;

/// <summary>What one network interface has received and sent, ever. proc_pid_net(5), <c>/proc/PID/net/dev</c>.</summary>
public sealed record InterfaceCounters(
    string Name, ulong ReceivedBytes, ulong ReceivedPackets, ulong ReceiveErrors, ulong ReceiveDropped,
    ulong SentBytes, ulong SentPackets, ulong SendErrors, ulong SendDropped)
{
    /// <summary>Sized for a thousand interfaces of some 130 bytes.</summary>
    private const int BytesMax = 256 * 1024;

    /// <summary>Columns of a line: 8 of what came in, 8 of what went out.</summary>
    private const int Columns = 16;

    /// <summary>The interfaces of the network namespace of a process or thread, in the kernel's order.</summary>
    /// <returns>Null where it is gone.</returns>
    /// <param name="proc">A parameter so that tests can give a directory of their own.</param>
    public static ImmutableArray<InterfaceCounters>? TryRead(uint pid, string proc = "/proc")
    {
        var path = $"{proc}/{pid}/net/dev";
        try
        {
            using var file = Descriptors.TryOpen(path, FileConstants.O_RDONLY);
            return file is null ? null : Parse(Encoding.UTF8.GetString(Descriptors.ReadToEnd(file, BytesMax, path)));
        }
        // It ended between two calls, or is about to be reaped: EINVAL is what net/dev of a zombie says.
        catch (FaultException gone) when (gone.Fault.Kind is FaultKind.NotFound or FaultKind.InvalidArgument)
        {
            return null;
        }
    }

    /// <summary>Two lines of headings, then <c>eth0: 1 2 3 …</c>.</summary>
    internal static ImmutableArray<InterfaceCounters> Parse(string text)
    {
        var interfaces = ImmutableArray.CreateBuilder<InterfaceCounters>();
        foreach (var line in text.Split('\n').Skip(2))
        {
            var colon = line.LastIndexOf(':'); // the name of an alias holds one too
            if (colon < 0) continue;
            var numbers = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(word => ulong.Parse(word, CultureInfo.InvariantCulture)).ToArray();
            if (numbers.Length < Columns) continue;
            interfaces.Add(new InterfaceCounters(
                line[..colon].Trim(), numbers[0], numbers[1], numbers[2], numbers[3], numbers[8], numbers[9], numbers[10], numbers[11]));
        }
        return interfaces.DrainToImmutable();
    }
}
