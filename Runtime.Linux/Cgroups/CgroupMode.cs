namespace Runtime.Linux.Cgroups;

/// <summary>How cgroups are mounted, cgroups(7).</summary>
public enum CgroupMode
{
    /// <summary>One hierarchy per controller.</summary>
    V1,

    /// <summary>As <see cref="V1"/>, and a v2 hierarchy without controllers in <c>unified</c>.</summary>
    Hybrid,

    /// <summary>One hierarchy with all controllers.</summary>
    V2,
}
