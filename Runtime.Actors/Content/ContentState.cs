using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Faults;

namespace Runtime.Actors.Content;

/// <summary>What one namespace knows of content, by digest.</summary>
public sealed record ContentState
{
    /// <summary>containerd's: which repositories of a host have the blob, comma-separated.</summary>
    public const string SourceLabelPrefix = "containerd.io/distribution.source.";

    public static readonly ContentState Empty = new();

    public ImmutableDictionary<string, ContentView> Blobs { get; init; } = ImmutableDictionary<string, ContentView>.Empty;

    public ContentState Apply(IDomainEvent recorded) => recorded switch
    {
        ContentWasAdded added => With(new(added.Digest, added.Size, added.Labels, added.At, added.At)),
        ContentLabelsChanged changed when Blobs.TryGetValue(changed.Digest, out var blob) =>
            With(blob with { Labels = changed.Labels, UpdatedAt = changed.At }),
        ContentWasRemoved removed => this with { Blobs = Blobs.Remove(removed.Digest) },
        _ => this,
    };

    public Decision Decide(IContentCommand command, DateTimeOffset now) => command switch
    {
        AddContent { IsNew: true } add when add.Entries.FirstOrDefault(entry => Blobs.ContainsKey(entry.Digest)) is { } known =>
            Decision.Reject(FaultKind.AlreadyExists, "content.exists", $"content {known.Digest}: already exists"),
        AddContent add => Accept([.. Added(add, now)], new ContentAdded(add.Entries.Length)),
        SetContentLabels set when Blobs.TryGetValue(set.EntityId, out var blob) => Relabel(blob, set, now),
        SetContentLabels set => Decision.Reject(
            FaultKind.NotFound, "content.not-found", $"content {set.EntityId}: not found"),
        RemoveContent { IsStrict: true } remove when remove.Digests.FirstOrDefault(digest => !Blobs.ContainsKey(digest)) is { } missing =>
            Decision.Reject(FaultKind.NotFound, "content.not-found", $"content {missing}: not found"),
        RemoveContent remove => Accept(
            [.. remove.Digests.Distinct().Where(Blobs.ContainsKey).Select(digest => new ContentWasRemoved(digest, now))],
            new ContentRemoved(remove.Digests.Count(Blobs.ContainsKey))),
        _ => Decision.Reject(
            FaultKind.Unimplemented, "content.unknown-command", $"{command.GetType().Name} is not understood."),
    };

    private IEnumerable<IDomainEvent> Added(AddContent add, DateTimeOffset now)
    {
        var entries = add.Entries.GroupBy(entry => entry.Digest)
            .Select(same => same.Aggregate((one, other) => one with { Labels = Merged(one.Labels, other.Labels) }));
        foreach (var entry in entries)
        {
            if (!Blobs.TryGetValue(entry.Digest, out var known))
            {
                yield return new ContentWasAdded(entry.Digest, entry.Size, entry.Labels, now);
                continue;
            }
            var labels = Merged(known.Labels, entry.Labels);
            if (!labels.SequenceEqual(known.Labels)) yield return new ContentLabelsChanged(entry.Digest, labels, now);
        }
    }

    private static Decision Relabel(ContentView blob, SetContentLabels set, DateTimeOffset now)
    {
        var names = set.Names.IsDefault ? blob.Labels.Keys.Concat(set.Labels.Keys) : set.Names;
        var labels = blob.Labels.RemoveRange(names).SetItems(set.Labels.Where(label => names.Contains(label.Key)));
        return labels.SequenceEqual(blob.Labels)
            ? Decision.Answering(blob)
            : Accept([new ContentLabelsChanged(blob.Digest, labels, now)], blob with { Labels = labels, UpdatedAt = now });
    }

    private static ImmutableSortedDictionary<string, string> Merged(
        ImmutableSortedDictionary<string, string> known, ImmutableSortedDictionary<string, string> more)
    {
        foreach (var (name, value) in more)
        {
            var united = name.StartsWith(SourceLabelPrefix, StringComparison.Ordinal) && known.TryGetValue(name, out var before)
                ? string.Join(',', before.Split(',').Union(value.Split(',')).Order(StringComparer.Ordinal))
                : value;
            known = known.SetItem(name, united);
        }
        return known;
    }

    private static Decision Accept(ImmutableArray<IDomainEvent> events, object reply) => Decision.Accept(events, [], reply);

    private ContentState With(ContentView blob) => this with { Blobs = Blobs.SetItem(blob.Digest, blob) };
}
