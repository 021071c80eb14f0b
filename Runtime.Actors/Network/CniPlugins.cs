using System.Collections.Immutable;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>Finds plugin binaries.</summary>
internal sealed class CniPlugins(ImmutableArray<string> directories)
{
    /// <summary>CNI_PATH, by which plugins find the ones that they delegate to.</summary>
    public string SearchPath { get; } = string.Join(':', directories);

    /// <exception cref="FaultException">FailedPrecondition <c>cni.plugin-missing</c>.</exception>
    public string Find(string type) =>
        directories.Select(directory => Path.Combine(directory, type)).FirstOrDefault(File.Exists)
            ?? throw new FaultException(FaultKind.FailedPrecondition, "cni.plugin-missing",
                $"CNI plugin {type} is in none of {string.Join(", ", directories)}.");
}
