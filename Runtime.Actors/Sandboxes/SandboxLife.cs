namespace Runtime.Actors.Sandboxes;

/// <summary>Where in its life a sandbox is; see the diagram at <see cref="SandboxState"/>.</summary>
public enum SandboxLife
{
    None,
    Starting,
    Ready,

    /// <summary>Ready, but hidden: those who asked for it have gone, and their retry may come.</summary>
    Untaken,

    /// <summary>The shim died, or the machine was booted again.</summary>
    Lost,
    Stopping,
    Stopped,
    Removing,
    Removed,
}
