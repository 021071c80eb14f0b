using System.Collections.Frozen;
using System.Globalization;
using Runtime.Faults;

namespace Runtime.Actors.Containers;

/// <summary>Signals by the names that images and CRI write: <c>SIGTERM</c>, <c>TERM</c>, <c>15</c>, <c>SIGRTMIN+3</c>.</summary>
public static class StopSignal
{
    public const string Default = "SIGTERM";
    public const uint Kill = 9;

    private const int RealtimeMin = 34; // as glibc counts; the first two belong to its threads
    private const int RealtimeMax = 64;

    private static readonly FrozenDictionary<string, uint> Numbers = new Dictionary<string, uint>
    {
        ["HUP"] = 1,
        ["INT"] = 2,
        ["QUIT"] = 3,
        ["ILL"] = 4,
        ["TRAP"] = 5,
        ["ABRT"] = 6,
        ["IOT"] = 6,
        ["BUS"] = 7,
        ["FPE"] = 8,
        ["KILL"] = 9,
        ["USR1"] = 10,
        ["SEGV"] = 11,
        ["USR2"] = 12,
        ["PIPE"] = 13,
        ["ALRM"] = 14,
        ["TERM"] = 15,
        ["STKFLT"] = 16,
        ["CHLD"] = 17,
        ["CLD"] = 17,
        ["CONT"] = 18,
        ["STOP"] = 19,
        ["TSTP"] = 20,
        ["TTIN"] = 21,
        ["TTOU"] = 22,
        ["URG"] = 23,
        ["XCPU"] = 24,
        ["XFSZ"] = 25,
        ["VTALRM"] = 26,
        ["PROF"] = 27,
        ["WINCH"] = 28,
        ["IO"] = 29,
        ["POLL"] = 29,
        ["PWR"] = 30,
        ["SYS"] = 31,
        ["RTMIN"] = RealtimeMin,
        ["RTMAX"] = RealtimeMax,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <exception cref="FaultException">InvalidArgument (<c>container.unknown-signal</c>).</exception>
    public static uint Parse(string name) => TryParse(name, out var number)
        ? number
        : throw new FaultException(FaultKind.InvalidArgument, "container.unknown-signal", $"There is no signal \"{name}\".");

    /// <summary>The name as CRI reports it: upper case with SIG; numbers and unknown names are SIGTERM's or fall back to it.</summary>
    public static string Effective(string asked, string image) =>
        asked.Length > 0 ? Named(asked) : image.Length > 0 && TryParse(image, out _) ? Named(image) : Default;

    private static string Named(string signal)
    {
        if (uint.TryParse(signal, CultureInfo.InvariantCulture, out var number))
        {
            var known = Numbers.Where(entry => entry.Value == number).Select(entry => entry.Key).Order(StringComparer.Ordinal).FirstOrDefault();
            return known is null ? $"SIGRTMIN+{number - RealtimeMin}" : $"SIG{known}";
        }
        var upper = signal.ToUpperInvariant();
        return upper.StartsWith("SIG", StringComparison.Ordinal) ? upper : $"SIG{upper}";
    }

    private static bool TryParse(string name, out uint number)
    {
        if (uint.TryParse(name, CultureInfo.InvariantCulture, out number)) return number is > 0 and <= RealtimeMax;
        var bare = name.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? name[3..] : name;
        if (Numbers.TryGetValue(bare, out number)) return true;
        var offset = bare.Length > 6 && int.TryParse(bare.AsSpan(5), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
        number = (uint)(bare.ToUpperInvariant() switch
        {
            { Length: > 6 } upper when upper.StartsWith("RTMIN+", StringComparison.Ordinal) => RealtimeMin + offset,
            { Length: > 6 } upper when upper.StartsWith("RTMAX-", StringComparison.Ordinal) => RealtimeMax + offset,
            _ => 0,
        });
        return number is >= RealtimeMin and <= RealtimeMax;
    }
}
