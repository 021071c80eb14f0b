using System.Collections.Immutable;

namespace Runtime.Linux.Mounts;

/// <summary>One mount as containerd's API describes it: what <c>mount -t Type -o Options Source Target</c> takes.</summary>
/// <param name="Type">File system type, or <c>bind</c>.</param>
/// <param name="Source">Device, directory, or a word such as <c>overlay</c>.</param>
/// <param name="Target">Relative to the root that it is mounted under; empty for the root itself.</param>
/// <param name="Options">As fstab has them: flags (<c>ro</c>, <c>rbind</c>) and file-system data mixed.</param>
public sealed record MountSpec(string Type, string Source, string Target, ImmutableArray<string> Options);
