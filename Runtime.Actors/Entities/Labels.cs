using System.Collections.Immutable;
using System.Text;
using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>Labels as containerd's clients know them: a value that is empty takes the label away.</summary>
public static class Labels
{
    /// <summary>Key and value together, in bytes: what containerd allows.</summary>
    public const int BytesMax = 4096;

    public static readonly ImmutableSortedDictionary<string, string> None =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Labels that came from outside, without the empty ones.</summary>
    /// <exception cref="FaultException">InvalidArgument <c>labels.too-long</c>.</exception>
    public static ImmutableSortedDictionary<string, string> Parse(IEnumerable<KeyValuePair<string, string>> labels)
    {
        var kept = None.ToBuilder();
        foreach (var (key, value) in labels)
        {
            var bytes = Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
            if (bytes > BytesMax)
                throw new FaultException(FaultKind.InvalidArgument, "labels.too-long",
                    $"Label {key[..Math.Min(key.Length, 10)]}... has {bytes} bytes with its value, where {BytesMax} are allowed.");
            if (value.Length > 0) kept[key] = value;
        }
        return kept.ToImmutable();
    }

    /// <summary>Takes over the labels of some names: those that <paramref name="given"/> does not have are taken away.</summary>
    /// <param name="names">Default: all.</param>
    public static ImmutableSortedDictionary<string, string> Replace(
        this ImmutableSortedDictionary<string, string> known, ImmutableSortedDictionary<string, string> given, ImmutableArray<string> names) =>
        names.IsDefault
            ? given
            : known.RemoveRange(names).SetItems(given.Where(label => names.Contains(label.Key)));
}
