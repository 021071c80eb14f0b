using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Akka.Actor;
using Runtime.Faults;

namespace Runtime.Actors.Entities;

/// <summary>
/// What entities have stored, to those who listen, in the order of each entity. One per actor system. Entities publish once
/// their view is current and before they answer, so who has the reply to a command can count on the event. Thread-safe.
/// </summary>
public sealed class EntityChanges : IExtension
{
    /// <summary>What waits for one subscriber: a burst of a few hundred pods. Beyond it the subscription ends; nobody else waits.</summary>
    public const int BacklogMax = 8192;

    private ImmutableList<ISubscriber> _subscribers = [];

    private interface ISubscriber
    {
        void Take(EntityChange change);
    }

    public static EntityChanges Of(ActorSystem system) => Provider.Instance.Apply(system);

    public void Publish(EntityChange change)
    {
        foreach (var subscriber in Volatile.Read(ref _subscribers)) subscriber.Take(change);
    }

    /// <summary>A subscription from now on; disposing it ends it.</summary>
    /// <param name="select">
    /// What the subscriber makes of a change. Runs on the entity's thread, when its view and no later one is in the read models:
    /// it only picks, and never waits.
    /// </param>
    public Subscription<T> Subscribe<T>(Func<EntityChange, IEnumerable<T>> select) => new(this, select, BacklogMax);

    /// <summary>Calls <paramref name="take"/> with every change from now on; disposing the result ends that.</summary>
    /// <param name="take">Runs on the entity's thread, before the entity answers: it passes on, and never waits.</param>
    public IDisposable Listen(Action<EntityChange> take)
    {
        var listener = new Listener(this, take);
        ImmutableInterlocked.Update(ref _subscribers, static (all, added) => all.Add(added), (ISubscriber)listener);
        return listener;
    }

    private sealed class Listener(EntityChanges changes, Action<EntityChange> take) : ISubscriber, IDisposable
    {
        public void Take(EntityChange change) => take(change);

        public void Dispose() =>
            ImmutableInterlocked.Update(ref changes._subscribers, static (all, gone) => all.Remove(gone), (ISubscriber)this);
    }

    /// <summary>One subscriber's place in the stream.</summary>
    public sealed class Subscription<T> : ISubscriber, IDisposable
    {
        private readonly EntityChanges _changes;
        private readonly Func<EntityChange, IEnumerable<T>> _select;
        private readonly Channel<T> _waiting;

        internal Subscription(EntityChanges changes, Func<EntityChange, IEnumerable<T>> select, int backlogMax)
        {
            _changes = changes;
            _select = select;
            _waiting = Channel.CreateBounded<T>(
                new BoundedChannelOptions(backlogMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
            ImmutableInterlocked.Update(ref changes._subscribers, static (all, added) => all.Add(added), (ISubscriber)this);
        }

        /// <exception cref="FaultException">ResourceExhausted <c>events.too-slow</c> once the subscriber has fallen behind.</exception>
        public async IAsyncEnumerable<T> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
        {
            while (true)
            {
                T next;
                try
                {
                    next = await _waiting.Reader.ReadAsync(cancellation);
                }
                catch (ChannelClosedException closed) when (closed.InnerException is FaultException fault)
                {
                    throw fault;
                }
                yield return next;
            }
        }

        public void Dispose() =>
            ImmutableInterlocked.Update(ref _changes._subscribers, static (all, gone) => all.Remove(gone), (ISubscriber)this);

        void ISubscriber.Take(EntityChange change)
        {
            foreach (var picked in _select(change))
            {
                if (_waiting.Writer.TryWrite(picked)) continue;
                Dispose();
                _waiting.Writer.TryComplete(new FaultException(FaultKind.ResourceExhausted, "events.too-slow",
                    $"The subscriber fell more than {BacklogMax} events behind; list, then subscribe again."));
                return;
            }
        }
    }

    private sealed class Provider : ExtensionIdProvider<EntityChanges>
    {
        public static readonly Provider Instance = new();

        public override EntityChanges CreateExtension(ExtendedActorSystem system) => new();
    }
}
