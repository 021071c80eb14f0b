using System.Collections.Immutable;

namespace Runtime.Linux.Users;

/// <summary>Who a container's process is.</summary>
/// <param name="Name">Empty for a number that the root file system gives no name to.</param>
/// <param name="AdditionalGids">Groups of the group database that name the user, without <paramref name="Gid"/>; sorted.</param>
/// <param name="Home"><c>/</c> where it is not known.</param>
/// <param name="Shell">Empty where it is not known.</param>
public sealed record ContainerUser(
    string Name, uint Uid, uint Gid, ImmutableArray<uint> AdditionalGids, string Home, string Shell);
