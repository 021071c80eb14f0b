using System.Collections.Frozen;
using System.Collections.Immutable;
using Runtime.Faults;
using static Runtime.Linux.Mounts.MountFlags;

namespace Runtime.Linux.Mounts;

/// <summary>fstab-like options, sorted by who takes them.</summary>
/// <param name="Flags">Of the mount itself, with MS_BIND and MS_REC where asked for.</param>
/// <param name="Cleared">Flags that an option asked to be off (<c>suid</c>, <c>dev</c>, <c>rw</c>).</param>
/// <param name="Propagation">Each is one more mount(2) call, in order: MS_PRIVATE, MS_SLAVE ... with MS_REC for the recursive ones.</param>
/// <param name="Recursive">Flags for the mount and all below it (<c>rro</c>, <c>rnosuid</c> ...): mount_setattr(2), Linux 5.12.</param>
/// <param name="Data">What only the file system knows, in order.</param>
public sealed record MountOptions(
    MountFlags Flags, MountFlags Cleared, ImmutableArray<MountFlags> Propagation, MountFlags Recursive, ImmutableArray<string> Data)
{
    private static readonly FrozenDictionary<string, (bool Clear, MountFlags Flag)> Known =
        new Dictionary<string, (bool, MountFlags)>
        {
            ["defaults"] = (false, None),
            ["ro"] = (false, MS_RDONLY),
            ["rw"] = (true, MS_RDONLY),
            ["nosuid"] = (false, MS_NOSUID),
            ["suid"] = (true, MS_NOSUID),
            ["nodev"] = (false, MS_NODEV),
            ["dev"] = (true, MS_NODEV),
            ["noexec"] = (false, MS_NOEXEC),
            ["exec"] = (true, MS_NOEXEC),
            ["sync"] = (false, MS_SYNCHRONOUS),
            ["async"] = (true, MS_SYNCHRONOUS),
            ["dirsync"] = (false, MS_DIRSYNC),
            ["mand"] = (false, MS_MANDLOCK),
            ["nomand"] = (true, MS_MANDLOCK),
            ["nosymfollow"] = (false, MS_NOSYMFOLLOW),
            ["symfollow"] = (true, MS_NOSYMFOLLOW),
            ["noatime"] = (false, MS_NOATIME),
            ["atime"] = (true, MS_NOATIME),
            ["nodiratime"] = (false, MS_NODIRATIME),
            ["diratime"] = (true, MS_NODIRATIME),
            ["relatime"] = (false, MS_RELATIME),
            ["norelatime"] = (true, MS_RELATIME),
            ["strictatime"] = (false, MS_STRICTATIME),
            ["nostrictatime"] = (true, MS_STRICTATIME),
            ["lazytime"] = (false, MS_LAZYTIME),
            ["nolazytime"] = (true, MS_LAZYTIME),
            ["iversion"] = (false, MS_I_VERSION),
            ["noiversion"] = (true, MS_I_VERSION),
            ["silent"] = (false, MS_SILENT),
            ["loud"] = (true, MS_SILENT),
            ["remount"] = (false, MS_REMOUNT),
            ["bind"] = (false, MS_BIND),
            ["rbind"] = (false, MS_BIND | MS_REC),
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, MountFlags> KnownPropagation = new Dictionary<string, MountFlags>
    {
        ["private"] = MS_PRIVATE,
        ["rprivate"] = MS_PRIVATE | MS_REC,
        ["shared"] = MS_SHARED,
        ["rshared"] = MS_SHARED | MS_REC,
        ["slave"] = MS_SLAVE,
        ["rslave"] = MS_SLAVE | MS_REC,
        ["unbindable"] = MS_UNBINDABLE,
        ["runbindable"] = MS_UNBINDABLE | MS_REC,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, MountFlags> KnownRecursive = new Dictionary<string, MountFlags>
    {
        ["rro"] = MS_RDONLY,
        ["rnosuid"] = MS_NOSUID,
        ["rnodev"] = MS_NODEV,
        ["rnoexec"] = MS_NOEXEC,
        ["rnosymfollow"] = MS_NOSYMFOLLOW,
    }.ToFrozenDictionary();

    /// <summary>As one string for mount(2).</summary>
    public string DataString => string.Join(',', Data);

    /// <summary>Sorts options. One that is not known here is the file system's; a later one wins over an earlier one.</summary>
    public static MountOptions Parse(ImmutableArray<string> options)
    {
        var (flags, cleared, recursive) = (None, None, None);
        var propagation = ImmutableArray.CreateBuilder<MountFlags>();
        var data = ImmutableArray.CreateBuilder<string>();
        foreach (var option in options.IsDefault ? [] : options)
        {
            if (option.Contains('\0'))
                throw new FaultException(FaultKind.InvalidArgument, "mount.bad-option", "A mount option contains a NUL character.");
            if (Known.TryGetValue(option, out var known) && known.Clear)
                (flags, cleared) = (flags & ~known.Flag, cleared | known.Flag);
            else if (known != default || option == "defaults")
                (flags, cleared) = (flags | known.Flag, cleared & ~known.Flag);
            else if (KnownPropagation.TryGetValue(option, out var kind))
                propagation.Add(kind);
            else if (KnownRecursive.TryGetValue(option, out var flag))
                recursive |= flag;
            else if (option.Length > 0)
                data.Add(option);
        }
        return new(flags, cleared, propagation.DrainToImmutable(), recursive, data.DrainToImmutable());
    }
}
