using System.Diagnostics;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Journal;
using Runtime.Actors.Namespaces;
using Runtime.Faults;

namespace Runtime.Actors.Images;

/// <summary>Owns one image name. Parent: ImageManager. It has no effects, and a restart loses nothing.</summary>
public sealed class ImageActor(NamespaceName space, string name, ReadModel<ImageView> views, TimeProvider clock)
    : EntityActor<ImageState, ImageView>(Kind, space, name, ImageState.Empty, views, clock)
{
    public const string Kind = "image";

    public static Props Props(NamespaceName space, string name, ReadModel<ImageView> views, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new ImageActor(space, name, views, clock));

    protected override Task<object?> RunAsync(IEffect effect, CancellationToken stopping) =>
        throw new UnreachableException(effect.GetType().Name);
}

/// <summary>The image names of one namespace. Parent: the namespace.</summary>
public sealed class ImageManager(NamespaceName space, ReadModel<ImageView> views, IJournalCatalog catalog, TimeProvider clock)
    : EntityManager(ImageActor.Kind, space, catalog)
{
    public const string Name = "images";

    /// <summary>Of a name: a reference with a digest, and room for what clients invent.</summary>
    private const int NameLengthMax = 1024;

    public static Props Props(NamespaceName space, ReadModel<ImageView> views, IJournalCatalog catalog, TimeProvider clock) =>
        Akka.Actor.Props.Create(() => new ImageManager(space, views, catalog, clock));

    protected override Props PropsFor(string entityId) => ImageActor.Props(Space, entityId, views, clock);

    protected override bool Creates(IEntityCommand command) =>
        command is PutImage or CreateImageName && command.EntityId.Length is > 0 and <= NameLengthMax;

    protected override object MissingReply(IEntityCommand command) => command is PutImage or CreateImageName
        ? new Rejected(FaultKind.InvalidArgument, "image.invalid-name", $"An image's name has 1 to {NameLengthMax} characters.")
        : new Rejected(ImageState.Missing(command.EntityId));
}
