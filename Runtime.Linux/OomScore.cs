using System.Globalization;
using Runtime.Faults;
using Runtime.Linux.Cgroups;

namespace Runtime.Linux;

/// <summary>oom_score_adj of processes, proc_pid_oom_score_adj(5): -1000 (never killed) to 1000 (first).</summary>
public static class OomScore
{
    private const string FileName = "oom_score_adj";

    /// <summary>Sets it as far as the kernel lets us: without CAP_SYS_RESOURCE, lowering below the current minimum is refused.</summary>
    /// <returns>What the process has afterwards.</returns>
    /// <exception cref="FaultException">NotFound where the process is gone; InvalidArgument <c>oom.bad-score</c></exception>
    public static int Set(int pid, int score)
    {
        if (score is < -1000 or > 1000)
            throw new FaultException(FaultKind.InvalidArgument, "oom.bad-score", $"oom_score_adj {score} is not between -1000 and 1000.");
        try
        {
            CgroupFile.Write($"/proc/{pid}", FileName, score.ToString(CultureInfo.InvariantCulture));
            return score;
        }
        catch (FaultException refused) when (refused.Fault.Kind == FaultKind.PermissionDenied)
        {
            return Get(pid);
        }
    }

    /// <summary>Of a process; 0 stands for this one.</summary>
    public static int Get(int pid = 0) => int.Parse(
        CgroupFile.ReadText(pid == 0 ? "/proc/self" : $"/proc/{pid}", FileName) ?? throw Errno.Fault(Errno.ESRCH, "open", $"/proc/{pid}/{FileName}"),
        CultureInfo.InvariantCulture);

    /// <summary>Whether this process may give others a lower score than its own: it needs CAP_SYS_RESOURCE.</summary>
    public static bool MayLower() => Users.Capabilities.EffectiveSet().Contains("CAP_SYS_RESOURCE");
}
