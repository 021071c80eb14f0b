using Xunit;

namespace Runtime.Tests.Support;

/// <summary>Tests that change the machine (mounts, namespaces, links) run one after another.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class KernelCollection
{
    public const string Name = "kernel";
}
