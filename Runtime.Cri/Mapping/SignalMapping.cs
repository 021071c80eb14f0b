using System.Globalization;

namespace Runtime.Cri.Mapping;

/// <summary>Signals: CRI's enum on one side, names such as SIGTERM and SIGRTMIN+1 (or numbers, from images) on the other.</summary>
internal static class SignalMapping
{
    /// <summary>First real-time signal that the C library leaves to programs; the last is 64.</summary>
    private const int RealtimeMin = 34;
    private const int RealtimeMax = 64;

    // signal(7), x86 and ARM: index is number - 1. 7 and 16 have the names that CRI's enum knows.
    private static readonly string[] Names =
    [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
        "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
        "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>Empty for RUNTIME_DEFAULT.</summary>
    public static string FromWire(V1.Signal signal)
    {
        if (signal == V1.Signal.RuntimeDefault) return "";
        if (!Enum.IsDefined(signal)) throw RequestCheck.UnknownEnum(signal, "config.stop_signal");
        return signal.ToString().ToUpperInvariant()
            .Replace("PLUS", "+", StringComparison.Ordinal).Replace("MINUS", "-", StringComparison.Ordinal);
    }

    /// <summary>RUNTIME_DEFAULT for a signal that CRI has no name for.</summary>
    public static V1.Signal ToWire(string signal)
    {
        var name = signal.ToUpperInvariant();
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) name = NameOf(number);
        if (name.Length > 0 && !name.StartsWith("SIG", StringComparison.Ordinal)) name = "SIG" + name;
        name = name.Replace("+", "PLUS", StringComparison.Ordinal).Replace("-", "MINUS", StringComparison.Ordinal);
        return Enum.TryParse<V1.Signal>(name, ignoreCase: true, out var known) && Enum.IsDefined(known)
            ? known : V1.Signal.RuntimeDefault;
    }

    private static string NameOf(int number) => number switch
    {
        >= 1 when number <= Names.Length => Names[number - 1],
        RealtimeMin => "SIGRTMIN",
        > RealtimeMin and <= RealtimeMin + 15 => $"SIGRTMIN+{number - RealtimeMin}",
        > RealtimeMin + 15 and < RealtimeMax => $"SIGRTMAX-{RealtimeMax - number}",
        RealtimeMax => "SIGRTMAX",
        _ => "",
    };
}
