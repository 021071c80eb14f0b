using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Sandboxes;

/// <summary>
/// The sandboxes of one namespace. Decides which sandbox a run means: the one that its pod and attempt already have, or a
/// new one. Parent: NamespaceActor. A restart loses nothing.
/// </summary>
public sealed class SandboxManager : EntityManager
{
    public const string Name = "sandboxes";

    private readonly SandboxSlice _slice;
    private readonly Dictionary<SandboxName, string> _idOfName = [];
    private readonly Dictionary<string, SandboxName> _nameOfId = [];

    public SandboxManager(NamespaceName space, SandboxSlice slice)
        : base(SandboxSlice.Kind, space, slice.Catalog) => _slice = slice;

    private readonly record struct SandboxName(string PodNamespace, string Name, string Uid, uint Attempt)
    {
        public static SandboxName Of(SandboxConfig config) => new(config.PodNamespace, config.Name, config.Uid, config.Attempt);
    }

    public static Props Props(NamespaceName space, SandboxSlice slice) =>
        Akka.Actor.Props.Create(() => new SandboxManager(space, slice));

    protected override void OnReceive(object message)
    {
        // A refusal leaves no trace: neither an actor nor a name that is taken.
        if (message is RunSandbox run && SandboxRules.Check(run.EntityId, run.Config, _slice.Options) is { } fault)
            Sender.Tell(new Rejected(fault));
        else if (message is RunSandbox asked && _slice.Options.SelinuxCategories > 0) AllocateLevel(asked);
        else base.OnReceive(message);
    }

    private void AllocateLevel(RunSandbox run)
    {
        try
        {
            var taken = _slice.Views.In(Space).Values.Select(view => view.SelinuxLevel);
            base.OnReceive(run with { SelinuxLevel = SelinuxLevel.Allocate(run.EntityId, _slice.Options.SelinuxCategories, taken) });
        }
        catch (FaultException refused)
        {
            Sender.Tell(new Rejected(refused.Fault));
        }
    }

    protected override Props PropsFor(string entityId) => SandboxActor.Props(Space, entityId, _slice, Context.Parent);

    protected override bool Creates(IEntityCommand command) => command is RunSandbox;

    protected override IEntityCommand Resolve(IEntityCommand command)
    {
        switch (command)
        {
            case RunSandbox run:
                var name = SandboxName.Of(run.Config);
                if (_idOfName.TryGetValue(name, out var id)) return run with { EntityId = id };
                Reserve(name, run.EntityId);
                return run;
            case RemoveSandbox remove:
                // However long it takes, and even if it never succeeds: nobody has to wait for the name.
                Release(remove.EntityId);
                return remove;
            default:
                return command;
        }
    }

    protected override object MissingReply(IEntityCommand command) => command switch
    {
        StopSandbox stop => new SandboxStopped(stop.EntityId),
        RemoveSandbox remove => new SandboxRemoved(remove.EntityId),
        _ => new Rejected(SandboxState.NotFound(command.EntityId)),
    };

    protected override void OnOther(object message)
    {
        if (message is SandboxNameReleased released) Release(released.SandboxId);
        else Unhandled(message);
    }

    protected override void OnReady()
    {
        foreach (var view in _slice.Views.In(Space).Values)
            if (view.Phase != SandboxPhase.Removing) Reserve(SandboxName.Of(view.Config), view.Id);
    }

    private void Reserve(SandboxName name, string id)
    {
        _idOfName[name] = id;
        _nameOfId[id] = name;
    }

    private void Release(string id)
    {
        if (_nameOfId.Remove(id, out var name)) _idOfName.Remove(name);
    }
}
