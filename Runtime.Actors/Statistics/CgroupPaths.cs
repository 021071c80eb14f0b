using Runtime.Actors.Containers;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;

namespace Runtime.Actors.Statistics;

/// <summary>Where the OCI runtime puts containers, as paths below the root of every hierarchy.</summary>
public static class CgroupPaths
{
    private const string Slice = ".slice";

    public static string Of(string space, SandboxView sandbox, ContainerView container, RuntimeHandler? handler) =>
        OfOci(ContainerSpecBuilder.CgroupsPathOf(
            sandbox.Config.CgroupParent, handler?.Options.SystemdCgroup ?? false, space, container.Id));

    /// <summary>The cgroup that the kubelet made for the pod; empty where there is none of its own.</summary>
    public static string OfPod(SandboxView sandbox)
    {
        var parent = sandbox.Config.CgroupParent.TrimEnd('/');
        return parent.StartsWith('/') || parent.Length == 0 ? parent : OfSlice(parent);
    }

    /// <summary>The path that the runtime spec's <c>cgroupsPath</c> means: <c>/a/b</c>, or <c>slice:prefix:name</c> for systemd.</summary>
    public static string OfOci(string cgroupsPath) => cgroupsPath.Split(':') is [var slice, var prefix, var name]
        ? $"{OfSlice(slice)}/{prefix}-{name}.scope"
        : cgroupsPath;

    /// <summary>A slice lies in those that its name begins with: <c>a-b.slice</c> is <c>/a.slice/a-b.slice</c>. systemd.slice(5).</summary>
    private static string OfSlice(string slice)
    {
        if (!slice.EndsWith(Slice, StringComparison.Ordinal)) return $"/{slice}";
        var path = "";
        var name = "";
        foreach (var part in slice[..^Slice.Length].Split('-', StringSplitOptions.RemoveEmptyEntries))
        {
            name = name.Length == 0 ? part : $"{name}-{part}";
            path += $"/{name}{Slice}";
        }
        return path;
    }
}
