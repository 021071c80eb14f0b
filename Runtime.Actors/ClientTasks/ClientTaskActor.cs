using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Shims;
using Runtime.Actors.Tasks;
using Runtime.Faults;

namespace Runtime.Actors.ClientTasks;

/// <summary>Owns the task of one container record, from create to delete. Parent: ClientTaskManager. A restart loses only waiting callers.</summary>
internal sealed class ClientTaskActor(NamespaceName space, string id, ClientTaskSlice slice, ClientTaskSteps steps)
    : EntityActor<ClientTaskState, ClientTaskView>(ClientTaskSlice.Kind, space, id, ClientTaskState.Empty, slice.Views, slice.Clock)
{
    public static Props Props(NamespaceName space, string id, ClientTaskSlice slice, ClientTaskSteps steps) =>
        Akka.Actor.Props.Create(() => new ClientTaskActor(space, id, slice, steps));

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping) => steps.RunAsync(effect, stopping);
}

/// <summary>The tasks of one namespace's container records. Parent: NamespaceActor. A restart loses nothing.</summary>
public sealed class ClientTaskManager : EntityManager
{
    private readonly ClientTaskSlice _slice;
    private readonly ClientTaskSteps _steps;

    public ClientTaskManager(NamespaceName space, ClientTaskSlice slice)
        : base(ClientTaskSlice.Kind, space, slice.Catalog) => (_slice, _steps) = (slice, new ClientTaskSteps(slice));

    public static Props Props(NamespaceName space, ClientTaskSlice slice) => Akka.Actor.Props.Create(() => new ClientTaskManager(space, slice));

    protected override Props PropsFor(string entityId) => ClientTaskActor.Props(Space, entityId, _slice, _steps);

    protected override bool Creates(IEntityCommand command) => command is CreateTask;

    protected override object MissingReply(IEntityCommand command) =>
        new Rejected(FaultKind.NotFound, "task.not-found", $"no running task found: task {command.EntityId} not found: not found");
}

/// <summary>What the tasks of every namespace share.</summary>
/// <param name="StateDirectory">Above all bundles.</param>
public sealed record ClientTaskSlice(
    string StateDirectory, IShims Shims, TaskOptions Options, ReadModel<ClientTaskView> Views, IJournalCatalog Catalog, TimeProvider Clock)
{
    /// <summary>First part of persistence ids.</summary>
    public const string Kind = "task";

    /// <summary>The manager's actor name.</summary>
    public const string Name = "tasks";

    public NamespaceSlice Create() => new(Name, typeof(IClientTaskCommand), space => ClientTaskManager.Props(space, this));
}
