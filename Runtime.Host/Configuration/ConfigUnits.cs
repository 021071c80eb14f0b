using System.Globalization;
using System.Text.RegularExpressions;

namespace Runtime.Host.Configuration;

/// <summary>Durations as Go writes them (<c>1h30m</c>, <c>250ms</c>) and sizes as Kubernetes does (<c>16Mi</c>).</summary>
public static partial class ConfigUnits
{
    public static bool TryDuration(object value, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        switch (value)
        {
            case long seconds when seconds is >= 0 and <= int.MaxValue:
                duration = TimeSpan.FromSeconds(seconds);
                return true;
            case "" or "0":
                return true;
            case string text when WholeDuration().IsMatch(text):
                foreach (Match part in DurationPart().Matches(text))
                {
                    var number = double.Parse(part.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                    duration += part.Groups[2].Value switch
                    {
                        "h" => TimeSpan.FromHours(number),
                        "m" => TimeSpan.FromMinutes(number),
                        "s" => TimeSpan.FromSeconds(number),
                        _ => TimeSpan.FromMilliseconds(number),
                    };
                }
                return true;
            default:
                return false;
        }
    }

    public static bool TrySize(object value, out long bytes)
    {
        bytes = 0;
        switch (value)
        {
            case long number:
                bytes = number;
                return true;
            case string text when Size().Match(text) is { Success: true } match:
                var factor = match.Groups[2].Value switch
                {
                    "Ki" => 1L << 10,
                    "Mi" => 1L << 20,
                    "Gi" => 1L << 30,
                    "Ti" => 1L << 40,
                    "k" => 1_000L,
                    "M" => 1_000_000L,
                    "G" => 1_000_000_000L,
                    "T" => 1_000_000_000_000L,
                    _ => 1L,
                };
                return long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                    && count <= long.MaxValue / factor
                    && (bytes = count * factor) >= 0;
            default:
                return false;
        }
    }

    [GeneratedRegex(@"^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$")]
    private static partial Regex WholeDuration();

    [GeneratedRegex(@"(\d+(?:\.\d+)?)(h|ms|m|s)")]
    private static partial Regex DurationPart();

    [GeneratedRegex(@"^(\d{1,18})(Ki|Mi|Gi|Ti|k|M|G|T)?$")]
    private static partial Regex Size();
}
