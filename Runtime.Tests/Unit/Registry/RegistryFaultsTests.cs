using Runtime.Faults;
using Runtime.Oci.Registry;
using Xunit;

namespace Runtime.Tests.Unit.Registry;

public sealed class RegistryFaultsTests
{
    [Fact]
    public void The_last_hosts_fault_tells_what_the_hosts_before_said_and_nothing_twice()
    {
        var mirror = new RuntimeFault(FaultKind.Unavailable, "registry.unavailable", "The mirror cannot be reached.");
        var registry = new RuntimeFault(FaultKind.NotFound, "registry.not-found", "There is no such image.");

        var fault = RegistryFaults.Of([registry, mirror, registry]);

        Assert.Equal(registry.Code, fault.Code);
        Assert.Equal("There is no such image. The mirror cannot be reached.", fault.Message);
    }
}
