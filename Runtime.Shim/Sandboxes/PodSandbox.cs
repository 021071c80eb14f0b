using System.Collections.Immutable;
using Runtime.Shim.Rpc;
using Runtime.Ttrpc.Sandboxes;

namespace Runtime.Shim.Sandboxes;

/// <summary>A pod without a pause process.</summary>
internal sealed class PodSandbox(CreateSandboxRequest request)
{
    public string Id => request.SandboxId;

    public string Bundle => request.BundlePath;

    /// <summary>Empty on the host's network.</summary>
    public string NetworkPath => request.NetnsPath;

    public bool HasSharedPids => Annotation(SandboxAnnotations.SharedPid) is "true" or "1";

    /// <summary>Empty without one.</summary>
    public string UserPath => Annotation(SandboxAnnotations.UserNamespace);

    public string IpcPath => Annotation(SandboxAnnotations.IpcNamespace);

    public string UtsPath => Annotation(SandboxAnnotations.UtsNamespace);

    public string CgroupPath => Annotation(SandboxAnnotations.CgroupPath);

    public PodThread? Thread { get; set; }

    /// <summary>Of the shared pid namespace; 0 for none.</summary>
    public int InitPid { get; set; }

    /// <summary>What StartSandbox answered.</summary>
    public int Pid { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public int ExitCode { get; set; }

    public bool IsReady => StartedAt is not null && EndedAt is null;

    public List<Call> Waiting { get; } = [];

    private string Annotation(string name) => request.Annotations.GetValueOrDefault(name, "");
}
