using System.Text.Json.Serialization;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;

namespace Runtime.Bench.Journal;

/// <summary>The size of a usual event: about 150 bytes of JSON.</summary>
public sealed record BenchEvent(string ContainerId, string Image, int Number, DateTimeOffset At) : IDomainEvent
{
    public static readonly JournalType Type = JournalType.Of("bench.event.v1", BenchJson.Default.BenchEvent);

    public static BenchEvent Of(int number) => new(
        "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0", "docker.io/library/busybox:latest",
        number, DateTimeOffset.UnixEpoch);
}

[JsonSerializable(typeof(BenchEvent))]
internal sealed partial class BenchJson : JsonSerializerContext;
