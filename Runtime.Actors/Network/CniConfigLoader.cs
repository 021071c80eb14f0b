using System.Collections.Immutable;
using Akka.Event;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>
/// Keeps the networks of the configuration directory current: they may appear, change and vanish at any time, and so may
/// the directory itself and the plugins' binaries.
/// </summary>
/// <remarks>
/// A watch dies with the directory that it is set on, so one is also set on the directory above, watches are set again
/// where they are missing, and the directory is read on a timer whatever they say.
/// </remarks>
public sealed class CniConfigLoader : IDisposable
{
    /// <summary>An editor or installer writes a file in several steps; the last of them counts.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly CniOptions _options;
    private readonly CniPlugins _plugins;
    private readonly ILoggingAdapter _log;
    private readonly ITimer _timer;
    private FileSystemWatcher? _inside;
    private FileSystemWatcher? _above;
    private CniNetworks _current = new([], null);
    private bool _disposed;

    public CniConfigLoader(CniOptions options, TimeProvider clock, ILoggingAdapter log)
    {
        _options = options;
        _plugins = new CniPlugins(options.BinDirs);
        _log = log;
        _timer = clock.CreateTimer(_ => Refresh(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Refresh();
    }

    /// <summary>As last read.</summary>
    public CniNetworks Current => Volatile.Read(ref _current);

    /// <summary>Reads the directory now. Never fails: what is wrong is in the answer.</summary>
    public CniNetworks Refresh()
    {
        lock (_gate)
        {
            if (_disposed) return Current;
            Watch();
            var found = Read();
            if (found.Fault != Current.Fault)
            {
                if (found.Fault is { } fault) _log.Warning("Pod network is not ready: {Message}", fault.Message);
                else _log.Info("Pod network is ready: {Networks}", string.Join(", ", found.Networks.Select(one => one.Name)));
            }
            Volatile.Write(ref _current, found);
            _timer.Change(_options.PollInterval, Timeout.InfiniteTimeSpan);
            return found;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer.Dispose();
            _inside?.Dispose();
            _above?.Dispose();
        }
    }

    private CniNetworks Read()
    {
        ImmutableArray<CniNetworkConfig> networks = [];
        try
        {
            networks = CniConfigFiles.Read(_options.ConfDir, _options.MaxConfNum);
            foreach (var plugin in networks.SelectMany(network => network.Plugins)) _plugins.Find(plugin.Type);
            return new CniNetworks(networks, null);
        }
        catch (FaultException missing)
        {
            return new CniNetworks(networks, missing.Fault);
        }
    }

    private void Watch()
    {
        var directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(_options.ConfDir));
        _inside ??= Watcher(directory, "*", _ => SoonAgain());
        if (Path.GetDirectoryName(directory) is not { } parent) return;
        _above ??= Watcher(parent, Path.GetFileName(directory), _ =>
        {
            // The directory came, went or was replaced: what watched its inside watches something else now.
            lock (_gate)
            {
                _inside?.Dispose();
                _inside = null;
            }
            SoonAgain();
        });
    }

    private FileSystemWatcher? Watcher(string directory, string filter, Action<object> changed)
    {
        if (!Directory.Exists(directory)) return null;
        try
        {
            var watcher = new FileSystemWatcher(directory, filter);
            watcher.Created += (_, change) => changed(change);
            watcher.Changed += (_, change) => changed(change);
            watcher.Deleted += (_, change) => changed(change);
            watcher.Renamed += (_, change) => changed(change);
            watcher.Error += (_, _) => Forget(watcher);
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        // It went between the two calls, or the machine has no inotify instance left: the timer finds out.
        catch (Exception unwatched) when (unwatched is IOException or ArgumentException)
        {
            _log.Debug("{Directory} is not watched, only polled: {Message}", directory, unwatched.Message);
            return null;
        }
    }

    private void Forget(FileSystemWatcher watcher)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_inside, watcher)) _inside = null;
            if (ReferenceEquals(_above, watcher)) _above = null;
            watcher.Dispose();
        }
        SoonAgain();
    }

    private void SoonAgain()
    {
        lock (_gate)
        {
            if (!_disposed) _timer.Change(Settle, Timeout.InfiniteTimeSpan);
        }
    }
}

/// <param name="Networks">In the order that pods get them: eth0, eth1 ...</param>
/// <param name="Fault">Null when pods can have them; else what is missing.</param>
public sealed record CniNetworks(ImmutableArray<CniNetworkConfig> Networks, RuntimeFault? Fault);
