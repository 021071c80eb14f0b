using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <summary>
/// SELinux levels: a sensitivity, and the categories that keep pods apart (MCS), such as <c>s0:c17,c402</c>.
/// </summary>
public static partial class SelinuxLevel
{
    /// <summary>The kernel's policies know categories c0 to c1023.</summary>
    public const int CategoriesMax = 1024;

    /// <exception cref="FaultException">InvalidArgument (<c>selinux.invalid-level</c>).</exception>
    public static void Check(string level)
    {
        if (level.Length > 0 && !(Level().IsMatch(level) && CategoriesOf(level).All(category => category < CategoriesMax)))
            throw new FaultException(FaultKind.InvalidArgument, "selinux.invalid-level",
                $"SELinux level \"{level}\" is not of the form s0, s0-s3 or s0:c1,c5.c7, with categories below {CategoriesMax}.");
    }

    /// <summary>
    /// What the pod asks for; else what was allocated to it, but no categories where it shares the node's processes.
    /// </summary>
    public static string Of(RunSandbox run)
    {
        var security = run.Config.Security;
        if (run.SelinuxLevel.Length == 0) return "";
        if (security.Selinux is { Level.Length: > 0 } asked) return asked.Level;
        return security.Pid == NamespaceMode.Node || security.Ipc == NamespaceMode.Node ? "s0" : run.SelinuxLevel;
    }

    /// <summary>
    /// Two categories that no other pod has. The same for the same pod as long as they are free, so that a try that was
    /// interrupted
    /// gets what it had.
    /// </summary>
    /// <param name="sandboxId">64 hex digits, of which any are as good as others.</param>
    /// <param name="range">How many categories there are: <c>selinux_category_range</c>.</param>
    /// <param name="taken">Levels of the pods that there are.</param>
    /// <exception cref="FaultException">ResourceExhausted (<c>selinux.no-category</c>): all pairs are
    /// taken.</exception>
    public static string Allocate(string sandboxId, int range, IEnumerable<string> taken)
    {
        var pairs = (long)range * (range - 1) / 2;
        var others = taken.ToHashSet(StringComparer.Ordinal);
        var first = (long)(ulong.Parse(sandboxId.AsSpan(0, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture) % (ulong)pairs);
        for (var step = 0L; step < pairs && step <= others.Count; step++)
        {
            var level = Pair((first + step) % pairs);
            if (!others.Contains(level)) return level;
        }
        throw new FaultException(FaultKind.ResourceExhausted, "selinux.no-category", $"All {pairs} pairs of {range} SELinux categories are taken.");
    }

    /// <summary>The pairs (0,1), (0,2), (1,2), (0,3) ... by their number.</summary>
    private static string Pair(long number)
    {
        var high = (long)((1 + Math.Sqrt(1 + 8d * number)) / 2);
        while (high * (high - 1) / 2 > number) high--; // where the root was rounded up
        var low = number - high * (high - 1) / 2;
        return string.Create(CultureInfo.InvariantCulture, $"s0:c{low},c{high}");
    }

    private static ImmutableArray<int> CategoriesOf(string level) =>
        [.. Category().Matches(level).Select(match => int.Parse(match.ValueSpan[1..], CultureInfo.InvariantCulture))];

    [GeneratedRegex("^s[0-9]{1,2}(-s[0-9]{1,2})?(:c[0-9]{1,4}(\\.c[0-9]{1,4})?(,c[0-9]{1,4}(\\.c[0-9]{1,4})?)*)?\\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Level();

    [GeneratedRegex("c[0-9]+")]
    private static partial Regex Category();
}
