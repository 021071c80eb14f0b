using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Runtime.Faults;

namespace Runtime.Actors.Journal;

/// <summary>How a manifest that is no longer written is read: as its old record, turned into today's.</summary>
/// <param name="Manifest">The old manifest, <c>noun.verb.v1</c>.</param>
/// <param name="Json">The old record, from the slice's JsonSerializerContext.</param>
/// <param name="Read">From the old record to the current event.</param>
public sealed record JournalUpcast(string Manifest, JsonTypeInfo Json, Func<object, object> Read)
{
    public static JournalUpcast Of<TOld, TEvent>(string manifest, JsonTypeInfo<TOld> json, Func<TOld, TEvent> read)
        where TOld : notnull
        where TEvent : notnull => new(manifest, json, old => read((TOld)old));
}

/// <summary>What the journal can write and read: made once, from the lists of all slices.</summary>
public sealed class JournalTypes
{
    private readonly FrozenDictionary<Type, JournalType> _writers;
    private readonly FrozenDictionary<string, Reader> _readers;

    /// <exception cref="ArgumentException">Two entries share a manifest or a type.</exception>
    public JournalTypes(IEnumerable<JournalType> types, IEnumerable<JournalUpcast>? upcasts = null)
    {
        var written = types.ToArray();
        var old = (upcasts ?? []).ToArray();
        RefuseTwins(written.Select(type => type.Manifest).Concat(old.Select(upcast => upcast.Manifest)), "manifest");
        RefuseTwins(written.Select(type => type.Type.ToString()), "type");
        _writers = written.ToFrozenDictionary(type => type.Type);
        _readers = written.Select(type => new Reader(type.Manifest, type.Json, null))
            .Concat(old.Select(upcast => new Reader(upcast.Manifest, upcast.Json, upcast.Read)))
            .ToFrozenDictionary(reader => reader.Manifest);
    }

    private sealed record Reader(string Manifest, JsonTypeInfo Json, Func<object, object>? Upcast);

    /// <summary>Everything that can be read, for tests that compare it with the golden files.</summary>
    public IEnumerable<string> Manifests => _readers.Keys;

    /// <exception cref="FaultException">InvalidArgument: the type is not registered, or cannot be written.</exception>
    public JournalEvent Write(long sequence, object payload)
    {
        if (!_writers.TryGetValue(payload.GetType(), out var type))
            throw new FaultException(FaultKind.InvalidArgument, "journal.unregistered-type",
                $"{payload.GetType()} is not in the journal's list of types: its slice's XJournal class has to name it.");
        try
        {
            return new JournalEvent(sequence, type.Manifest, JsonSerializer.SerializeToUtf8Bytes(payload, type.Json), type.EndsEntity);
        }
        catch (Exception cause) when (cause is JsonException or NotSupportedException)
        {
            throw new FaultException(FaultKind.InvalidArgument, "journal.unwritable-event",
                $"{payload.GetType()} ({type.Manifest}) cannot be written as JSON: {cause.Message}", cause);
        }
    }

    /// <param name="place">Which event it is, for messages.</param>
    /// <exception cref="FaultException">
    /// Unimplemented: the manifest is unknown; a newer release wrote it. DataLoss: the payload is not what its manifest says.
    /// </exception>
    public object Read(string manifest, ReadOnlySpan<byte> payload, string place)
    {
        if (!_readers.TryGetValue(manifest, out var reader))
            throw new FaultException(FaultKind.Unimplemented, "journal.unknown-manifest",
                $"{place} has the manifest {manifest}, which this release does not know. Run the release that wrote it, or a newer one.");
        try
        {
            var read = JsonSerializer.Deserialize(payload, reader.Json) ?? throw new JsonException("The payload is null.");
            return reader.Upcast is { } upcast ? upcast(read) : read;
        }
        catch (Exception cause) when (cause is JsonException or NotSupportedException)
        {
            throw new FaultException(FaultKind.DataLoss, "journal.unreadable-event",
                $"{place} is not a {manifest}: {cause.Message}", cause);
        }
    }

    private static void RefuseTwins(IEnumerable<string> names, string what)
    {
        var seen = new HashSet<string>();
        if (names.FirstOrDefault(name => !seen.Add(name)) is { } twin)
            throw new ArgumentException($"The journal's list names the {what} {twin} twice.");
    }
}
