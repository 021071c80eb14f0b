using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Runtime.Actors;
using Runtime.Actors.Journal;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

/// <summary>
/// Golden/Events holds what each event looked like in each release: MANIFEST.json, and MANIFEST.N.json since members were
/// added. All of them must be readable for ever, without a loss; the newest is what is written today.
/// </summary>
public sealed class EventGoldenTests
{
    private static readonly string Files = Path.Combine(Artifacts.Checkout, "Runtime.Tests", "Golden", "Events");

    private static readonly ImmutableArray<JournalType> Types = DomainJournal.Types;

    public static TheoryData<string> Manifests => [.. Types.Select(type => type.Manifest)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Every_form_that_an_event_ever_had_is_read_without_a_loss(string manifest)
    {
        var types = new JournalTypes(Types);
        var forms = FormsOf(manifest);
        Assert.NotEmpty(forms);
        foreach (var form in forms)
        {
            var written = File.ReadAllBytes(form);
            var read = types.Read(manifest, written, form);
            var again = JsonNode.Parse(types.Write(1, read).Payload.Span)!;
            AssertContains(again, JsonNode.Parse(written)!, form);
        }
    }

    [Theory]
    [MemberData(nameof(Manifests))]
    public void What_is_written_today_is_the_newest_form(string manifest)
    {
        var type = Types.Single(one => one.Manifest == manifest);
        var written = ContainerGolden.Pretty(new JournalTypes(Types).Write(1, EventSamples.Of(type.Type, "")).Payload);
        var newest = FormsOf(manifest).LastOrDefault();
        var golden = newest is null ? "" : File.ReadAllText(newest);
        if (written != golden) File.WriteAllText(Path.Combine(Path.GetTempPath(), $"{manifest}.json"), written);
        Assert.True(written == golden,
            $"{manifest} is written differently now. Compare {Path.GetTempPath()}{manifest}.json with the newest of Golden/Events; where " +
            $"members were only added, take it over as the next {manifest}.N.json.\n{written}");
    }

    [Fact]
    public void No_golden_file_is_of_an_event_that_nobody_knows() =>
        Assert.All(Directory.GetFiles(Files), file =>
            Assert.Contains(Types, type => Path.GetFileName(file).StartsWith(type.Manifest + ".", StringComparison.Ordinal)));

    private static string[] FormsOf(string manifest) =>
    [
        .. Directory.GetFiles(Files, manifest + ".*json").OrderBy(file => file.Length).ThenBy(file => file, StringComparer.Ordinal),
    ];

    private static void AssertContains(JsonNode? actual, JsonNode? expected, string place)
    {
        switch (expected)
        {
            case JsonObject members:
                foreach (var (name, value) in members) AssertContains(actual?[name], value, $"{place}: {name}");
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++) AssertContains(actual?[i], items[i], $"{place}[{i}]");
                break;
            default:
                Assert.True(JsonNode.DeepEquals(expected, actual), $"{place} was {expected}, and is read as {actual}.");
                break;
        }
    }
}
