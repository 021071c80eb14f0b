using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Runtime.Linux.Files;

namespace Runtime.Actors.Snapshots;

/// <summary>The snapshotters of this node, and the numbers of their directories: one row for all namespaces. Thread-safe.</summary>
public sealed class SnapshotDrivers(IEnumerable<ISnapshotDriver> drivers)
{
    private readonly ImmutableDictionary<string, Numbered> _drivers =
        drivers.ToImmutableDictionary(driver => driver.Name, driver => new Numbered(driver));

    public IEnumerable<ISnapshotDriver> All => _drivers.Values.Select(numbered => numbered.Driver);

    public bool TryGet(string name, [NotNullWhen(true)] out ISnapshotDriver? driver)
    {
        driver = _drivers.GetValueOrDefault(name)?.Driver;
        return driver is not null;
    }

    public ISnapshotDriver this[string name] => _drivers[name].Driver;

    /// <summary>A number that no directory has or had.</summary>
    internal long NextNumber(string name) => Interlocked.Increment(ref _drivers[name].Highest);

    /// <summary>Recovery: the journal knows this number.</summary>
    internal void Observe(string name, long number)
    {
        if (!_drivers.TryGetValue(name, out var numbered)) return;
        numbered.Known[number] = true;
        numbered.Raise(number);
    }

    /// <summary>Recovery is over: directories that the journal does not know.</summary>
    internal IEnumerable<(string Driver, long Number)> Orphans() => _drivers.Values.SelectMany(
        numbered => numbered.AtStart.Where(number => !numbered.Known.ContainsKey(number)).Select(number => (numbered.Driver.Name, number)));

    /// <summary>Of a committed snapshot, which never changes: walked once.</summary>
    internal DiskUsage Usage(SnapshotView view, CancellationToken cancellation)
    {
        // Of a snapshotter whose directory somebody took away: nothing is there to be counted.
        if (!_drivers.TryGetValue(view.Snapshotter, out var numbered)) return default;
        // A view adds nothing: its directory is only the place where it would.
        if (view.Kind is SnapshotKind.View) return default;
        if (view.Kind is SnapshotKind.Active) return numbered.Driver.Usage(view.Number, cancellation);
        if (numbered.Usages.TryGetValue(view.Number, out var known)) return known;
        return numbered.Usages[view.Number] = numbered.Driver.Usage(view.Number, cancellation);
    }

    internal void Remove(string name, long number)
    {
        _drivers[name].Usages.TryRemove(number, out _);
        _drivers[name].Driver.Remove(number);
    }

    private sealed class Numbered
    {
        public long Highest;

        public Numbered(ISnapshotDriver driver)
        {
            Driver = driver;
            driver.Tidy();
            AtStart = driver.Numbers();
            foreach (var number in AtStart) Raise(number);
        }

        public ISnapshotDriver Driver { get; }

        public ImmutableArray<long> AtStart { get; }

        public ConcurrentDictionary<long, bool> Known { get; } = [];

        public ConcurrentDictionary<long, DiskUsage> Usages { get; } = [];

        public void Raise(long number)
        {
            var highest = Interlocked.Read(ref Highest);
            while (number > highest)
            {
                var seen = Interlocked.CompareExchange(ref Highest, number, highest);
                if (seen == highest) return;
                highest = seen;
            }
        }
    }
}
