using System.Text.RegularExpressions;
using Containerd.Types;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Api.Events;

/// <summary>What an event has to look like before it is passed on.</summary>
public static partial class EventTopic
{
    /// <summary>Checks a topic: <c>/tasks/exit</c>, a slash before each identifier.</summary>
    /// <exception cref="FaultException">InvalidArgument.</exception>
    public static void Check(string topic)
    {
        if (!Form().IsMatch(topic))
            throw new FaultException(FaultKind.InvalidArgument, "events.invalid-topic",
                $"Topic \"{topic}\" must be identifiers, each after a slash.");
    }

    /// <summary>Checks an envelope that somebody else has filled.</summary>
    /// <exception cref="FaultException">InvalidArgument.</exception>
    public static void Check(Envelope? envelope)
    {
        if (envelope is null) throw new FaultException(FaultKind.InvalidArgument, "events.no-envelope", "The envelope is missing.");
        NamespaceName.Parse(envelope.Namespace);
        Check(envelope.Topic);
        if (envelope.Timestamp is null)
            throw new FaultException(FaultKind.InvalidArgument, "events.no-timestamp", "The envelope's timestamp is missing.");
    }

    [GeneratedRegex("^(?:/[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*)+$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
