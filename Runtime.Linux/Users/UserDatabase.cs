using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;

namespace Runtime.Linux.Users;

/// <summary>/etc/passwd and /etc/group inside of a root file system that is not trusted. A missing file is an empty one.</summary>
public sealed class UserDatabase
{
    /// <summary>Each file. Sized for 50,000 users; a bigger file is a fault, not a daemon without memory.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    private readonly ImmutableArray<PasswdLine> _users;
    private readonly ImmutableArray<GroupLine> _groups;

    private sealed record PasswdLine(string Name, uint Uid, uint Gid, string Home, string Shell);

    private sealed record GroupLine(string Name, uint Gid, string[] Members);

    private UserDatabase(ImmutableArray<PasswdLine> users, ImmutableArray<GroupLine> groups)
    {
        _users = users;
        _groups = groups;
    }

    /// <summary>Reads both files below <paramref name="root"/>; no symlink leads out of it.</summary>
    public static UserDatabase Read(string root)
    {
        using var directory = RootDirectory.Open(root);
        return Read(directory);
    }

    /// <inheritdoc cref="Read(string)"/>
    public static UserDatabase Read(RootDirectory root) =>
        Parse(Text(root.TryReadFile("/etc/passwd", MaxBytes)), Text(root.TryReadFile("/etc/group", MaxBytes)));

    /// <summary>Lines that are not of passwd(5) or group(5) are skipped, as the C library does.</summary>
    public static UserDatabase Parse(string passwd, string group) => new([.. Users(passwd)], [.. Groups(group)]);

    /// <summary>
    /// What an image's User or CRI says: <c>user</c>, <c>uid</c>, <c>user:group</c>, <c>uid:gid</c> and mixed. A number needs no
    /// line in the files. Without a group it is the user's; of a number without a line, 0.
    /// </summary>
    /// <param name="spec">Empty for root.</param>
    /// <exception cref="FaultException">NotFound <c>user.unknown</c>, <c>user.unknown-group</c>; InvalidArgument <c>user.malformed</c></exception>
    public ContainerUser Resolve(string spec)
    {
        var colon = spec.IndexOf(':', StringComparison.Ordinal);
        var user = colon < 0 ? spec : spec[..colon];
        var group = colon < 0 ? "" : spec[(colon + 1)..];
        if (group.Contains(':') || (colon >= 0 && group.Length == 0))
            throw Malformed(spec);
        var found = FindUser(user.Length == 0 ? "0" : user);
        return group.Length == 0 ? found : WithGroup(found, FindGroup(group));
    }

    /// <summary>A user by number, else by name.</summary>
    public ContainerUser FindUser(string nameOrUid)
    {
        var isNumber = TryId(nameOrUid, out var uid);
        // A name wins over a number that looks the same, as getent(1) has it.
        var line = _users.FirstOrDefault(user => user.Name == nameOrUid)
            ?? (isNumber ? _users.FirstOrDefault(user => user.Uid == uid) : null);
        if (line is not null)
            return new(line.Name, line.Uid, line.Gid, GroupsOf(line.Name, line.Gid), line.Home.Length == 0 ? "/" : line.Home, line.Shell);
        if (isNumber)
            return new("", uid, 0, [], "/", "");
        throw LooksNumeric(nameOrUid)
            ? Malformed(nameOrUid)
            : new FaultException(FaultKind.NotFound, "user.unknown", $"The root file system has no user '{RawName.Shown(nameOrUid)}' in /etc/passwd.");
    }

    /// <summary>A group's number by name or number.</summary>
    public uint FindGroup(string nameOrGid)
    {
        if (_groups.FirstOrDefault(group => group.Name == nameOrGid) is { } line)
            return line.Gid;
        if (TryId(nameOrGid, out var gid))
            return gid;
        throw LooksNumeric(nameOrGid)
            ? Malformed(nameOrGid)
            : new FaultException(
                FaultKind.NotFound, "user.unknown-group", $"The root file system has no group '{RawName.Shown(nameOrGid)}' in /etc/group.");
    }

    /// <summary>The same user with another primary group.</summary>
    public ContainerUser WithGroup(ContainerUser user, uint gid) =>
        user with { Gid = gid, AdditionalGids = user.Name.Length == 0 ? [] : GroupsOf(user.Name, gid) };

    private ImmutableArray<uint> GroupsOf(string user, uint primary) =>
    [
        .. _groups.Where(group => group.Gid != primary && group.Members.Contains(user)).Select(group => group.Gid).Distinct().Order(),
    ];

    private static IEnumerable<PasswdLine> Users(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var parts = line.Trim().Split(':');
            if (parts.Length >= 4 && IsName(parts[0]) && TryId(parts[2], out var uid) && TryId(parts[3], out var gid))
                yield return new(parts[0], uid, gid, parts.ElementAtOrDefault(5) ?? "", parts.ElementAtOrDefault(6) ?? "");
        }
    }

    private static IEnumerable<GroupLine> Groups(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            var parts = line.Trim().Split(':');
            if (parts.Length >= 3 && IsName(parts[0]) && TryId(parts[2], out var gid))
                yield return new(parts[0], gid, (parts.ElementAtOrDefault(3) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries));
        }
    }

    /// <summary>+ and - begin lines of NIS.</summary>
    private static bool IsName(string name) => name.Length > 0 && name[0] is not ('#' or '+' or '-');

    /// <summary>Up to 2^32 - 2: the last number means "no change" to the kernel.</summary>
    private static bool TryId(string text, out uint id) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id != uint.MaxValue;

    private static bool LooksNumeric(string text) => text.Length > 0 && text.AsSpan().TrimStart('-').IndexOfAnyExceptInRange('0', '9') < 0;

    private static string Text(byte[]? bytes) => bytes is null ? "" : Encoding.UTF8.GetString(bytes);

    private static FaultException Malformed(string spec) => new(
        FaultKind.InvalidArgument, "user.malformed",
        $"'{RawName.Shown(spec)}' is no user: give a name or a number below 4294967295, then optionally ':' and a group.");
}
