using System.Reflection;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Architecture;

/// <summary>What ARCHITECTURE.md says about the house, checked on what was built.</summary>
public sealed class FloorTests
{
    // Each floor, and the floors below that it may use.
    private static readonly Dictionary<string, string[]> Floors = new()
    {
        ["Runtime.Linux"] = [],
        ["Runtime.Ttrpc"] = ["Runtime.Linux"],
        ["Runtime.Oci"] = ["Runtime.Linux"],
        ["Runtime.Actors"] = ["Runtime.Linux", "Runtime.Ttrpc", "Runtime.Oci"],
        ["Runtime.Api"] = ["Runtime.Linux", "Runtime.Ttrpc", "Runtime.Oci", "Runtime.Actors"],
        ["Runtime.Cri"] = ["Runtime.Linux", "Runtime.Ttrpc", "Runtime.Oci", "Runtime.Actors", "Runtime.Api"],
        ["actord"] = ["Runtime.Linux", "Runtime.Ttrpc", "Runtime.Oci", "Runtime.Actors", "Runtime.Api", "Runtime.Cri"],
        ["containerd-shim-actor-v1"] = ["Runtime.Linux", "Runtime.Ttrpc"],
    };

    public static TheoryData<string> Names => [.. Floors.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_floor_uses_only_floors_below_it(string floor)
    {
        var used = Assembly.Load(floor).GetReferencedAssemblies().Select(reference => reference.Name!).Where(Floors.ContainsKey);

        Assert.Empty(used.Except(Floors[floor]));
    }

    [Theory]
    [InlineData("Runtime.Linux")]
    [InlineData("Runtime.Ttrpc")]
    [InlineData("Runtime.Oci")]
    [InlineData("containerd-shim-actor-v1")]
    public void Actors_are_known_from_the_domain_upwards_only(string floor) =>
        Assert.DoesNotContain(
            Assembly.Load(floor).GetReferencedAssemblies(),
            reference => reference.Name!.StartsWith("Akka", StringComparison.Ordinal));

    [Fact]
    public void States_are_pure()
    {
        string[] impure = ["using Akka", "TimeProvider", "DateTimeOffset.UtcNow", "File.", "Directory.", "Process.", "async ", "await "];
        var states = Directory.EnumerateFiles(Path.Combine(Artifacts.Checkout, "Runtime.Actors"), "*State*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)).ToArray();

        Assert.NotEmpty(states);
        var found = from path in states
                    from line in File.ReadLines(path)
                    let code = line.TrimStart()
                    where !code.StartsWith("//", StringComparison.Ordinal)
                    from word in impure
                    where code.Contains(word, StringComparison.Ordinal)
                    select $"{Path.GetFileName(path)}: {code}";
        Assert.Empty(found);
    }

    [Fact]
    public void Every_persisted_event_has_a_manifest_of_its_own_with_a_version()
    {
        var types = DomainEvents.Registered;

        Assert.All(types, type => Assert.Matches("^[a-z-]+(\\.[a-z-]+)+\\.v[0-9]+$", type.Manifest));
        Assert.Empty(DomainEvents.Declared.Except(types.Select(type => type.Type)));
    }
}
