using System.Collections.Immutable;

namespace Runtime.Oci.Images;

/// <summary>
/// Chooses from an index what runs on a platform, best first: the same variant, then lower ones, then the 32-bit mode that the
/// processor also has.
/// </summary>
public sealed class PlatformMatcher(Platform wanted)
{
    // What BuildKit marks attestations with, beside the platform unknown/unknown.
    private const string AttestationAnnotation = "vnd.docker.reference.type";

    private readonly ImmutableArray<Platform> _preferred = [.. Preferences(wanted.Normalize())];

    public Platform Wanted { get; } = wanted.Normalize();

    /// <summary>0 is the best; -1 does not run here.</summary>
    public int RankOf(Platform platform)
    {
        var candidate = platform.Normalize();
        return _preferred.IndexOf(_preferred.FirstOrDefault(preferred =>
            preferred.Os == candidate.Os && preferred.Architecture == candidate.Architecture
            && preferred.Variant == candidate.Variant)!);
    }

    public bool Matches(Platform platform) => RankOf(platform) >= 0;

    /// <summary>
    /// Entries that may run here, best first. An entry without a platform comes last: only its config can tell. An entry that
    /// is no image, such as an attestation, never comes.
    /// </summary>
    public ImmutableArray<Descriptor> Select(ImageIndex index) =>
    [
        .. index.Manifests
            .Where(IsImage)
            .Select(entry => (Entry: entry, Rank: entry.Platform is null ? int.MaxValue : RankOf(entry.Platform)))
            .Where(ranked => ranked.Rank >= 0)
            .OrderBy(ranked => ranked.Rank)
            .Select(ranked => ranked.Entry),
    ];

    private static bool IsImage(Descriptor entry) =>
        (MediaTypes.IsManifest(entry.MediaType) || MediaTypes.IsIndex(entry.MediaType))
        && entry.Platform?.IsUnknown is not true
        && entry.Annotations?.ContainsKey(AttestationAnnotation) is not true;

    private static IEnumerable<Platform> Preferences(Platform wanted)
    {
        yield return wanted;
        switch (wanted.Architecture)
        {
            case "amd64":
                foreach (var lower in Lower(wanted, LevelOf(wanted.Variant), 2)) yield return lower;
                if (wanted.Variant is not null) yield return wanted with { Variant = null };
                yield return wanted with { Architecture = "386", Variant = null };
                break;
            case "arm64":
                if (wanted.Variant is not null) yield return wanted with { Variant = null };
                foreach (var lower in Lower(wanted with { Architecture = "arm" }, 9, 5)) yield return lower;
                break;
            case "arm":
                foreach (var lower in Lower(wanted, LevelOf(wanted.Variant), 5)) yield return lower;
                break;
        }
    }

    private static IEnumerable<Platform> Lower(Platform platform, int above, int lowest)
    {
        for (var level = above - 1; level >= lowest; level--) yield return platform with { Variant = $"v{level}" };
    }

    // Only v5 to v8 of arm and v2 to v4 of amd64 exist: one digit.
    private static int LevelOf(string? variant) => variant is ['v', >= '0' and <= '9'] ? variant[1] - '0' : 0;
}
