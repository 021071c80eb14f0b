using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Entities;

public sealed class EntityChangesTests
{
    private static EntityChange Change(int number) =>
        new(NamespaceName.Kubernetes, $"{number}", [], null, null, DateTimeOffset.UnixEpoch);

    [Fact]
    public async Task A_subscriber_that_falls_behind_is_ended_with_a_reason_and_no_other_waits_for_it()
    {
        var changes = new EntityChanges();
        using var slow = changes.Subscribe(change => (string[])[change.EntityId]);
        using var picky = changes.Subscribe(change => change.EntityId.EndsWith("000", StringComparison.Ordinal) ? (string[])[change.EntityId] : []);

        for (var i = 0; i <= EntityChanges.BacklogMax; i++) changes.Publish(Change(i));
        changes.Publish(Change(9000));

        var read = new List<string>();
        var ended = await Assert.ThrowsAsync<FaultException>(async () =>
        {
            await foreach (var id in slow.ReadAsync(TestContext.Current.CancellationToken)) read.Add(id);
        });
        Assert.Equal((FaultKind.ResourceExhausted, "events.too-slow"), (ended.Fault.Kind, ended.Fault.Code));
        Assert.Equal(EntityChanges.BacklogMax, read.Count);

        await using var others = picky.ReadAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        foreach (var expected in (string[])["1000", "2000", "3000", "4000", "5000", "6000", "7000", "8000", "9000"])
        {
            Assert.True(await others.MoveNextAsync());
            Assert.Equal(expected, others.Current);
        }
    }
}
