using System.Collections.Immutable;
using Runtime.Faults;

namespace Runtime.Api.Filters;

/// <summary>The filters of a List request: one of them has to match; an empty list matches everything.</summary>
public sealed class FilterList
{
    private readonly ImmutableArray<Filter> _filters;

    private FilterList(ImmutableArray<Filter> filters) => _filters = filters;

    /// <exception cref="FaultException">InvalidArgument for a malformed filter.</exception>
    public static FilterList Parse(IEnumerable<string> filters) => new([.. filters.Select(Filter.Parse)]);

    public bool Matches(FieldReader fields)
    {
        if (_filters.IsEmpty) return true;
        foreach (var filter in _filters)
            if (filter.Matches(fields)) return true;
        return false;
    }
}
