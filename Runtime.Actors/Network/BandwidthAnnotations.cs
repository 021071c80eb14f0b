using System.Buffers;
using System.Globalization;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>
/// <c>kubernetes.io/ingress-bandwidth</c> and <c>egress-bandwidth</c>: Kubernetes quantities in bits per second.
/// </summary>
internal static class BandwidthAnnotations
{
    private const string Ingress = "kubernetes.io/ingress-bandwidth";
    private const string Egress = "kubernetes.io/egress-bandwidth";

    /// <summary>The limits that Kubernetes itself sets: 1k to 1P.</summary>
    private const decimal RateMin = 1_000m;
    private const decimal RateMax = 1_000_000_000_000_000m;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.+-");

    /// <summary>Null when neither is there.</summary>
    /// <exception cref="FaultException">InvalidArgument, naming the annotation.</exception>
    public static CniBandwidth? Parse(IReadOnlyDictionary<string, string> annotations)
    {
        var ingress = Rate(annotations, Ingress);
        var egress = Rate(annotations, Egress);
        return ingress == 0 && egress == 0 ? null : new CniBandwidth(ingress, egress);
    }

    private static ulong Rate(IReadOnlyDictionary<string, string> annotations, string name)
    {
        if (!annotations.TryGetValue(name, out var text)) return 0;
        return Quantity(text) is { } rate and >= RateMin and <= RateMax
            ? (ulong)Math.Ceiling(rate)
            : throw new FaultException(FaultKind.InvalidArgument, "sandbox.invalid-bandwidth",
                $"Annotation {name} is \"{text}\"; it must be a quantity between 1k and 1P (bits per second), such as 10M.");
    }

    private static decimal? Quantity(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExcept(NumberCharacters);
        var (number, suffix) = digits < 0 ? (text, "") : (text[..digits], text[digits..]);
        decimal? unit = suffix switch
        {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "P" => 1_000_000_000_000_000,
            "Ki" => 1L << 10,
            "Mi" => 1L << 20,
            "Gi" => 1L << 30,
            "Ti" => 1L << 40,
            _ when suffix[0] is 'e' or 'E' && int.TryParse(suffix[1..], CultureInfo.InvariantCulture, out var exponent)
                && exponent is >= 0 and <= 15 => (decimal)Math.Pow(10, exponent),
            _ => null,
        };
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        return unit is not null && decimal.TryParse(number, style, CultureInfo.InvariantCulture, out var value)
            && Math.Abs(value) <= RateMax
            ? value * unit
            : null;
    }
}
