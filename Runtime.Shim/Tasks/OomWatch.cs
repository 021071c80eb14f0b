using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Cgroups;
using Runtime.Linux.Files;
using Runtime.Linux.Io;
using Runtime.Shim.Loops;

namespace Runtime.Shim.Tasks;

/// <summary>
/// Notices that the OOM killer was at work in a container's cgroup: v1 through an eventfd on memory.oom_control, v2 through inotify on
/// memory.events. Either may come late, so the counter is read again before an exit is told.
/// </summary>
internal sealed class OomWatch : IDisposable
{
    private readonly CgroupHierarchy _cgroups;
    private readonly string _path;
    private readonly EventLoop _loop;
    private readonly Action _killed;
    private readonly EventFd? _signal;
    private readonly SafeFileHandle? _notify;
    private readonly EventLoop.Watch? _watch;
    private ulong _seen;

    /// <param name="killed">Called once per time that the kernel killed something.</param>
    public OomWatch(CgroupHierarchy cgroups, string path, EventLoop loop, Action killed)
    {
        (_cgroups, _path, _loop, _killed) = (cgroups, path, loop, killed);
        _seen = cgroups.OomKills(path) ?? 0;
        Baseline = _seen;
        try
        {
            var directory = cgroups.DirectoryOf(path, "memory");
            if (cgroups.IsV2)
            {
                _notify = FileNotify.Modified(Path.Combine(directory, "memory.events"));
                _watch = loop.Add(_notify, EpollEvents.In, _ =>
                {
                    Span<byte> events = stackalloc byte[1024];
                    while (RawIo.TryRead(_notify, events) > 0) { }
                    Check();
                });
            }
            else
            {
                _signal = new EventFd();
                using var control = Descriptors.Open(Path.Combine(directory, "memory.oom_control"), FileConstants.O_RDONLY);
                CgroupFile.Write(directory, "cgroup.event_control", string.Create(
                    CultureInfo.InvariantCulture, $"{_signal.Handle.DangerousGetHandle()} {control.DangerousGetHandle()}"));
                _watch = loop.Add(_signal.Handle, EpollEvents.In, _ =>
                {
                    _signal.Drain();
                    Check();
                });
            }
        }
        catch (FaultException)
        {
            // Without the notification the counter at the exit still tells.
        }
    }

    private ulong Baseline { get; }

    /// <summary>Whether the OOM killer took a process of the container, ever.</summary>
    public bool HasKilled
    {
        get
        {
            Check();
            return _seen > Baseline;
        }
    }

    public void Dispose()
    {
        if (_watch is not null)
            _loop.Remove(_watch);
        _signal?.Dispose();
        _notify?.Dispose();
    }

    private void Check()
    {
        if (_cgroups.OomKills(_path) is not { } kills || kills <= _seen)
            return;
        _seen = kills;
        _killed();
    }
}
