using Runtime.Actors.Journal;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Journal;

public sealed class JournalTypesTests
{
    private static readonly JournalTypes Types = new(NoteJournal.Types, NoteJournal.Upcasts);

    [Fact]
    public void An_event_reads_as_it_was_written()
    {
        var written = Types.Write(5, new Noted("x", 3));
        Assert.Equal((5L, "note.noted.v1", false), (written.Sequence, written.Manifest, written.EndsEntity));
        Assert.Equal("""{"text":"x","number":3}"""u8.ToArray(), written.Payload.ToArray());
        Assert.Equal(new Noted("x", 3), Types.Read(written.Manifest, written.Payload.Span, "it"));
    }

    [Fact]
    public void An_event_that_ends_its_entity_is_marked() => Assert.True(Types.Write(1, new Closed("done")).EndsEntity);

    [Fact]
    public void An_old_manifest_is_read_as_todays_event() =>
        Assert.Equal(new Noted("hi", 0), Types.Read("note.noted.v0", """{"words":"hi"}"""u8, "it"));

    [Fact]
    public void A_field_that_a_newer_release_added_is_ignored() =>
        Assert.Equal(new Noted("hi", 1), Types.Read("note.noted.v1", """{"text":"hi","number":1,"colour":"red"}"""u8, "it"));

    [Fact]
    public void An_unregistered_type_is_refused_by_name()
    {
        var fault = StoreCalls.Fault(() => Types.Write(1, new Unlisted("x")));
        Assert.Equal((FaultKind.InvalidArgument, "journal.unregistered-type"), (fault.Kind, fault.Code));
        Assert.Contains(nameof(Unlisted), fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_manifest_is_refused_by_name_and_place()
    {
        var fault = StoreCalls.Fault(() => { Types.Read("note.erased.v9", "{}"u8, "Event 4 of note/test/a"); });
        Assert.Equal((FaultKind.Unimplemented, "journal.unknown-manifest"), (fault.Kind, fault.Code));
        Assert.Contains("note.erased.v9", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Event 4 of note/test/a", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"text":1}""")]
    public void A_payload_that_is_not_its_manifests_is_data_loss(string payload)
    {
        var fault = StoreCalls.Fault(() => { Types.Read("note.noted.v1", System.Text.Encoding.UTF8.GetBytes(payload), "it"); });
        Assert.Equal((FaultKind.DataLoss, "journal.unreadable-event"), (fault.Kind, fault.Code));
    }

    [Fact]
    public void A_manifest_or_a_type_can_be_listed_once_only()
    {
        Assert.Throws<ArgumentException>(() => new JournalTypes(
            [JournalType.Of("same.v1", NoteJson.Default.Noted), JournalType.Of("same.v1", NoteJson.Default.Closed)]));
        Assert.Throws<ArgumentException>(() => new JournalTypes(
            [JournalType.Of("one.v1", NoteJson.Default.Noted), JournalType.Of("two.v1", NoteJson.Default.Noted)]));
    }
}
