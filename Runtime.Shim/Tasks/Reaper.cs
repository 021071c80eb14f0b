using Runtime.Linux.Processes;

namespace Runtime.Shim.Tasks;

/// <summary>
/// Reaps every process that ends below this one, and tells who asked for it. A container's init becomes our child when the OCI
/// runtime ends, and may be dead before its pid is known: while such pids are expected, unasked exits are kept.
/// </summary>
internal sealed class Reaper
{
    /// <summary>More orphans than this die in one OCI runtime call only where something forks wildly.</summary>
    private const int MaxKept = 4096;

    private readonly Dictionary<int, Action<ChildExit>> _asked = [];
    private readonly Dictionary<int, ChildExit> _kept = [];
    private int _expecting;

    /// <summary>From here on a pid may turn up that is asked for only later.</summary>
    public void Expect() => _expecting++;

    public void ExpectNoMore()
    {
        if (--_expecting == 0)
            _kept.Clear();
    }

    /// <summary>Calls <paramref name="ended"/> when the process ends; at once if it has.</summary>
    public void Ask(int pid, Action<ChildExit> ended)
    {
        if (_kept.Remove(pid, out var exit))
            ended(exit);
        else
            _asked[pid] = ended;
    }

    public void ReapAll()
    {
        while (Children.TryReapAny(out var exit))
        {
            if (_asked.Remove(exit.Pid, out var ended))
                ended(exit);
            else if (_expecting > 0 && _kept.Count < MaxKept)
                _kept[exit.Pid] = exit;
        }
    }
}
