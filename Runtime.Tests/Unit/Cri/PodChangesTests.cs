using Runtime.Actors.Entities;
using Runtime.Actors.Sandboxes;
using Runtime.Cri;
using Runtime.Cri.V1;
using Xunit;
using static Runtime.Tests.Unit.Sandboxes.SandboxSamples;

namespace Runtime.Tests.Unit.Cri;

/// <summary>Which of a sandbox's events subscribers hear of, over each course that its life can take.</summary>
public sealed class PodChangesTests
{
    [Theory]
    [InlineData("Ready", "", "Created Started")]
    [InlineData("Stopped", "", "Created Started Stopped")]
    [InlineData("Lost", "", "Created Started Stopped")]
    [InlineData("Removed", "", "Created Started Stopped Deleted")]
    [InlineData("Stopped", "remove", "Created Started Stopped Deleted")]
    [InlineData("Lost", "remove", "Created Started Stopped Deleted")]
    [InlineData("Failed", "removed", "")]
    [InlineData("Untaken", "failed", "Created Started Stopped Deleted")]
    public async Task A_course_is_told_as(string phase, string then, string told)
    {
        await using var script = new ScriptedDomain();
        var changes = new PodChanges(script.Domain);
        IDomainEvent[] rest = then switch
        {
            "remove" => [RemoveRequested, Removed],
            "removed" => [Removed],
            "failed" => [Failed, Removed],
            _ => [],
        };
        var state = SandboxState.New(Space, Options);
        var types = new List<string>();
        foreach (var recorded in Path(phase).Concat(rest))
        {
            var before = state.View;
            state = state.Apply(recorded);
            types.AddRange(changes.Of(new EntityChange(Space, Id, [recorded], before, state.View, Now)).Select(change => Word(change.Type)));
        }

        Assert.Equal(told, string.Join(' ', types));
    }

    private static string Word(ContainerEventType type) =>
        type.ToString()["Container".Length..].Replace("Event", "", StringComparison.Ordinal);
}
