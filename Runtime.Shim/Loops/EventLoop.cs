using Microsoft.Win32.SafeHandles;
using Runtime.Linux.Io;

namespace Runtime.Shim.Loops;

/// <summary>
/// One thread that waits for descriptors, timers and work of other threads, and handles one at a time. What it owns needs
/// no locks. Handlers must not block.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private const int Batch = 32;

    private readonly Epoll _epoll = new();
    private readonly EventFd _wake = new();
    private readonly List<Watch?> _watches = [];
    private readonly Stack<int> _free = new();
    private readonly List<Timer> _timers = [];
    private readonly Lock _lock = new();
    private readonly ShimLog _log;
    private List<Action> _posted = [];
    private List<Action> _running = [];
    private long _idleAt = long.MaxValue;
    private bool _stopped;

    public EventLoop(ShimLog log)
    {
        _log = log;
        Add(_wake.Handle, EpollEvents.In, _ => _wake.Drain());
    }

    /// <summary>Called when nothing happened for <see cref="IdleAfterMs"/>, once after each time that something did.</summary>
    public Action? Idle { get; set; }

    public int IdleAfterMs { get; set; } = 2000;

    /// <summary>Called after each round in which something happened.</summary>
    public Action? Busy { get; set; }

    /// <summary>A descriptor that is watched. Level-triggered: the handler is called as long as the events last.</summary>
    public sealed class Watch
    {
        public required SafeFileHandle File { get; init; }

        public required Action<EpollEvents> Ready { get; init; }

        internal int Slot { get; init; }

        internal uint Generation { get; init; }

        internal EpollEvents Events { get; set; }

        internal ulong Token => (ulong)Generation << 32 | (uint)Slot;
    }

    /// <summary>Something to be done later, unless cancelled.</summary>
    public sealed class Timer
    {
        public required long Due { get; init; }

        public required Action Elapsed { get; init; }

        public bool IsCancelled { get; set; }
    }

    private uint _generation;

    public Watch Add(SafeFileHandle file, EpollEvents events, Action<EpollEvents> ready)
    {
        if (!_free.TryPop(out var slot))
        {
            slot = _watches.Count;
            _watches.Add(null);
        }
        var watch = new Watch { File = file, Ready = ready, Slot = slot, Generation = ++_generation, Events = events };
        _epoll.Add(file, events, watch.Token);
        _watches[slot] = watch;
        return watch;
    }

    public void Change(Watch watch, EpollEvents events)
    {
        if (watch.Events == events)
            return;
        watch.Events = events;
        _epoll.Change(watch.File, events, watch.Token);
    }

    /// <summary>Stops watching; before the descriptor is closed.</summary>
    public void Remove(Watch watch)
    {
        if (_watches[watch.Slot] != watch)
            return;
        _epoll.Remove(watch.File);
        _watches[watch.Slot] = null;
        _free.Push(watch.Slot);
    }

    /// <summary>From any thread: has <paramref name="work"/> done on the loop's thread.</summary>
    public void Post(Action work)
    {
        lock (_lock)
            _posted.Add(work);
        _wake.Signal();
    }

    public Timer After(int milliseconds, Action elapsed)
    {
        var timer = new Timer { Due = Environment.TickCount64 + milliseconds, Elapsed = elapsed };
        _timers.Add(timer);
        return timer;
    }

    public void Stop() => _stopped = true;

    public void Run()
    {
        Span<(ulong Token, EpollEvents Events)> ready = stackalloc (ulong, EpollEvents)[Batch];
        while (!_stopped)
        {
            var count = _epoll.Wait(ready, NextTimeout());
            // Timers do not count: a retry every few seconds is not life.
            if (count > 0)
                _idleAt = Idle is null ? long.MaxValue : Environment.TickCount64 + IdleAfterMs;
            foreach (var (token, events) in ready[..count])
            {
                // Its handler may have removed another one of this batch.
                if (_watches[(int)(uint)token] is { } watch && watch.Token == token)
                    Guarded(watch, events);
            }
            RunPosted();
            RunTimers();
            if (Environment.TickCount64 >= _idleAt)
            {
                _idleAt = long.MaxValue;
                Guarded(Idle!);
            }
            else if (count > 0 && Busy is not null)
                Guarded(Busy);
        }
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
    }

    private int NextTimeout()
    {
        var next = _idleAt;
        foreach (var timer in _timers)
            next = Math.Min(next, timer.Due);
        return next == long.MaxValue ? -1 : (int)Math.Clamp(next - Environment.TickCount64, 0, int.MaxValue);
    }

    private void RunPosted()
    {
        lock (_lock)
            (_posted, _running) = (_running, _posted);
        foreach (var work in _running)
            Guarded(work);
        _running.Clear();
    }

    private void RunTimers()
    {
        var now = Environment.TickCount64;
        for (var i = _timers.Count - 1; i >= 0; i--)
        {
            var timer = _timers[i];
            if (!timer.IsCancelled && timer.Due > now)
                continue;
            _timers.RemoveAt(i);
            if (!timer.IsCancelled)
                Guarded(timer.Elapsed);
        }
    }

    // A defect in one handler must not take the containers' monitor away: it is logged, and the loop goes on.
#pragma warning disable CA1031
    private void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (Exception defect)
        {
            _log.Defect(defect);
        }
    }

    private void Guarded(Watch watch, EpollEvents events)
    {
        try
        {
            watch.Ready(events);
        }
        catch (Exception defect)
        {
            _log.Defect(defect);
        }
    }
#pragma warning restore CA1031
}
