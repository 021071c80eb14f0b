using System.Collections.Immutable;
using System.Threading.Channels;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Runtime.Faults;
using Runtime.Ttrpc.Events;

namespace Runtime.Api.Events;

/// <summary>
/// Passes events on to those who listen now. What nobody listens to is dropped here: what must not be lost goes to the
/// journal. A subscriber that does not keep up is let go, so that nobody waits for it.
/// </summary>
public sealed class EventHub
{
    /// <summary>Events that wait for one subscriber: a burst of a few hundred pods. Beyond it, the subscription ends.</summary>
    public const int BacklogMax = 8192;

    private ImmutableList<Channel<Envelope>> _subscribers = [];

    public void Publish(Envelope envelope)
    {
        foreach (var subscriber in Volatile.Read(ref _subscribers))
            if (!subscriber.Writer.TryWrite(envelope)) Drop(subscriber);
    }

    /// <summary>An event that a shim has forwarded over ttrpc. One that is malformed stops here: a shim is not trusted.</summary>
    /// <exception cref="FaultException">InvalidArgument.</exception>
    public void Publish(EventEnvelope forwarded)
    {
        var envelope = new Envelope
        {
            Namespace = forwarded.Namespace,
            Topic = forwarded.Topic,
            Timestamp = forwarded.Timestamp is { } at ? Timestamp.FromDateTimeOffset(at) : null,
            Event = forwarded.Event is { } content
                ? new Any { TypeUrl = content.TypeUrl, Value = ByteString.CopyFrom(content.Value.Span) }
                : null,
        };
        EventTopic.Check(envelope);
        Publish(envelope);
    }

    /// <summary>A subscription from now on; disposing it ends it.</summary>
    public Subscription Subscribe()
    {
        var channel = Channel.CreateBounded<Envelope>(
            new BoundedChannelOptions(BacklogMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        ImmutableInterlocked.Update(ref _subscribers, static (all, added) => all.Add(added), channel);
        return new Subscription(this, channel);
    }

    private void Drop(Channel<Envelope> subscriber)
    {
        Remove(subscriber);
        subscriber.Writer.TryComplete(new FaultException(FaultKind.ResourceExhausted, "events.too-slow",
            $"The subscriber fell more than {BacklogMax} events behind; subscribe again."));
    }

    private void Remove(Channel<Envelope> subscriber) =>
        ImmutableInterlocked.Update(ref _subscribers, static (all, removed) => all.Remove(removed), subscriber);

    /// <summary>One subscriber's place in the stream.</summary>
    public sealed class Subscription : IDisposable
    {
        private readonly EventHub _hub;
        private readonly Channel<Envelope> _channel;

        internal Subscription(EventHub hub, Channel<Envelope> channel)
        {
            _hub = hub;
            _channel = channel;
        }

        /// <exception cref="FaultException">ResourceExhausted once the subscriber has fallen behind.</exception>
        public async IAsyncEnumerable<Envelope> ReadAsync(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            while (true)
            {
                Envelope envelope;
                try
                {
                    envelope = await _channel.Reader.ReadAsync(cancellation);
                }
                catch (ChannelClosedException closed) when (closed.InnerException is FaultException fault)
                {
                    throw fault;
                }
                yield return envelope;
            }
        }

        public void Dispose() => _hub.Remove(_channel);
    }
}
