using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Runtime.Actors.Entities;
using Runtime.Faults;

namespace Runtime.Api.Edge;

/// <summary>The field mask of an Update that can only change labels.</summary>
public static class LabelMask
{
    /// <summary>The labels that are given, and which ones they replace; default: all.</summary>
    /// <param name="what">For the refusal: <c>snapshot</c>.</param>
    /// <exception cref="FaultException">InvalidArgument for another field.</exception>
    public static (ImmutableSortedDictionary<string, string> Given, ImmutableArray<string> Names) Of(
        IEnumerable<KeyValuePair<string, string>> labels, FieldMask? mask, string what)
    {
        var given = Labels.Parse(labels);
        if (mask is null or { Paths.Count: 0 } || mask.Paths.Contains("labels")) return (given, default);
        return (given, [.. mask.Paths.Select(path => NameOf(path, what))]);
    }

    private static string NameOf(string path, string what) => path.StartsWith("labels.", StringComparison.Ordinal)
        ? path["labels.".Length..]
        : throw new FaultException(FaultKind.InvalidArgument, "mask.unknown-field", $"cannot update \"{path}\" field on {what}");
}
