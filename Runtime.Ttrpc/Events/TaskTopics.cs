namespace Runtime.Ttrpc.Events;

/// <summary>Topics of task events, and the type names of what is published there.</summary>
public static class TaskTopics
{
    public const string Create = "/tasks/create";
    public const string Start = "/tasks/start";
    public const string Oom = "/tasks/oom";
    public const string Exit = "/tasks/exit";
    public const string Delete = "/tasks/delete";
    public const string ExecAdded = "/tasks/exec-added";
    public const string ExecStarted = "/tasks/exec-started";
    public const string Paused = "/tasks/paused";
    public const string Resumed = "/tasks/resumed";
    public const string Checkpointed = "/tasks/checkpointed";

    /// <summary>The type name of a topic's event.</summary>
    public static string TypeOf(string topic) => topic switch
    {
        Create => "containerd.events.TaskCreate",
        Start => "containerd.events.TaskStart",
        Oom => "containerd.events.TaskOOM",
        Exit => "containerd.events.TaskExit",
        Delete => "containerd.events.TaskDelete",
        ExecAdded => "containerd.events.TaskExecAdded",
        ExecStarted => "containerd.events.TaskExecStarted",
        Paused => "containerd.events.TaskPaused",
        Resumed => "containerd.events.TaskResumed",
        Checkpointed => "containerd.events.TaskCheckpointed",
        _ => throw new ArgumentOutOfRangeException(nameof(topic), topic, "No topic of tasks."),
    };
}
