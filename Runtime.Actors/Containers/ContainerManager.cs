using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Faults;

namespace Runtime.Actors.Containers;

/// <summary>
/// The containers of one namespace. Decides which container a create means: the one that its sandbox, name and attempt
/// already have, or a new one. Parent: NamespaceActor. A restart loses nothing.
/// </summary>
public sealed class ContainerManager : EntityManager
{
    private readonly ContainerSlice _slice;
    private readonly ContainerSteps _steps;
    private readonly Dictionary<ContainerName, string> _idOfName = [];
    private readonly Dictionary<string, ContainerName> _nameOfId = [];

    public ContainerManager(NamespaceName space, ContainerSlice slice)
        : base(ContainerSlice.Kind, space, slice.Catalog)
    {
        _slice = slice;
        _steps = new ContainerSteps(slice);
    }

    private readonly record struct ContainerName(string SandboxId, string Name, uint Attempt);

    public static Props Props(NamespaceName space, ContainerSlice slice) =>
        Akka.Actor.Props.Create(() => new ContainerManager(space, slice));

    // A start that was interrupted looks for its sandbox.
    protected override string? RecoversAfter => SandboxManager.Name;

    protected override Props PropsFor(string entityId) => ContainerActor.Props(Space, entityId, _slice, _steps);

    protected override bool Creates(IEntityCommand command) => command is AdmittedContainer;

    protected override IEntityCommand Resolve(IEntityCommand command)
    {
        switch (command)
        {
            case CreateContainer create:
                var name = new ContainerName(create.SandboxId, create.Config.Name, create.Config.Attempt);
                if (_idOfName.TryGetValue(name, out var id)) return create with { EntityId = id };
                var admitted = ContainerAdmission.Admit(create, _slice);
                if (admitted is AdmittedContainer) Reserve(name, create.EntityId);
                return admitted;
            case RemoveContainer remove when MayBeRemoved(remove.EntityId):
                // However long it takes, and even if it never succeeds: nobody has to wait for the name.
                Release(remove.EntityId);
                return remove;
            default:
                return command;
        }
    }

    protected override object MissingReply(IEntityCommand command) => command switch
    {
        StopContainer stop => new ContainerStopped(stop.EntityId),
        RemoveContainer remove => new ContainerRemoved(remove.EntityId),
        RefusedContainer refused => new Rejected(refused.Fault),
        _ => new Rejected(FaultKind.NotFound, "container.not-found", $"There is no container {command.EntityId}."),
    };

    protected override void OnOther(object message)
    {
        if (message is ContainerNameReleased released) Release(released.ContainerId);
        else Unhandled(message);
    }

    protected override void OnReady()
    {
        foreach (var view in _slice.Views.In(Space).Values)
            if (view.Phase != ContainerPhase.Removing)
                Reserve(new ContainerName(view.SandboxId, view.Config.Name, view.Config.Attempt), view.Id);
    }

    // A create or start in progress refuses to be removed, and so keeps its name.
    private bool MayBeRemoved(string id) =>
        _slice.Views.Find(Space, id)?.Phase is not (ContainerPhase.Creating or ContainerPhase.Starting);

    private void Reserve(ContainerName name, string id)
    {
        _idOfName[name] = id;
        _nameOfId[id] = name;
    }

    private void Release(string id)
    {
        if (_nameOfId.Remove(id, out var name)) _idOfName.Remove(name);
    }
}
