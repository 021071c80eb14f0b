namespace Runtime.Linux.Namespaces;

/// <summary>One line of a uid_map or gid_map, user_namespaces(7).</summary>
/// <param name="Inside">First id in the user namespace.</param>
/// <param name="Outside">First id of the parent namespace that it stands for.</param>
public readonly record struct IdRange(uint Inside, uint Outside, uint Count);
