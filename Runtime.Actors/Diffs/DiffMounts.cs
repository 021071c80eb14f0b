using System.Collections.Immutable;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Diffs;

/// <summary>What can be told from mounts without mounting them.</summary>
internal static class DiffMounts
{
    /// <summary>The directory behind a writable bind mount.</summary>
    public static string? WritableBind(ImmutableArray<MountSpec> mounts) =>
        mounts is [{ Type: "bind", Target: "", Source: var source } mount] && !mount.Options.Contains("ro") ? source : null;

    /// <summary>The parts of a writable overlay.</summary>
    public static OverlayParts? WritableOverlay(ImmutableArray<MountSpec> mounts) =>
        mounts is [{ Type: "overlay", Target: "" } mount] && ValueOf(mount, "upperdir=") is { } upper && ValueOf(mount, "lowerdir=") is { } lower
            ? new(upper, [.. lower.Split(':')], mount.Options.Contains("userxattr"))
            : null;

    /// <summary>Whether mounts show exactly these directories, stacked: then an overlay on them differs by its upper directory alone.</summary>
    public static bool Show(ImmutableArray<MountSpec> mounts, ImmutableArray<string> lowers) => mounts switch
    {
        [{ Type: "bind", Target: "", Source: var source }] => lowers is [var only] && only == source,
        [{ Type: "overlay", Target: "" } mount] when ValueOf(mount, "upperdir=") is null =>
            ValueOf(mount, "lowerdir=") is { } shown && shown.Split(':').SequenceEqual(lowers),
        _ => false,
    };

    /// <summary>The same, and nothing can be written through it.</summary>
    public static ImmutableArray<MountSpec> ReadOnly(ImmutableArray<MountSpec> mounts) =>
        [.. mounts.Select(mount => mount with { Options = [.. mount.Options.Where(option => option != "rw"), "ro"] })];

    private static string? ValueOf(MountSpec mount, string option) => mount.Options
        .Where(text => text.StartsWith(option, StringComparison.Ordinal)).Select(text => text[option.Length..]).FirstOrDefault();
}

/// <param name="Lowers">Topmost first.</param>
internal sealed record OverlayParts(string Upper, ImmutableArray<string> Lowers, bool UserXattr);
