using System.Collections.Immutable;
using Runtime.Actors.Entities;
using Runtime.Faults;

namespace Runtime.Actors.Images;

/// <summary>One image name: <c>None --Put--> named --Remove--> Ended</c>. What it stands for is content, and not its concern.</summary>
public sealed record ImageState : IEntityState<ImageState, ImageView>
{
    public static readonly ImageState Empty = new();

    public ImageView? View { get; init; }

    public bool Ended { get; init; }

    public ImageState Apply(IDomainEvent recorded) => recorded switch
    {
        ImageCreated made => this with { View = new(made.Name, made.Target, made.Labels, made.At, made.At) },
        ImageUpdated changed => this with
        {
            View = View! with { Target = changed.Target, Labels = changed.Labels, UpdatedAt = changed.At },
        },
        ImageRemoved => new() { Ended = true },
        _ => this,
    };

    public Decision Decide(object command, DateTimeOffset now) => (command, View) switch
    {
        (PutImage put, null) => Create(put.EntityId, put.Target, put.Labels, now),
        (CreateImageName create, null) => Create(create.EntityId, create.Target, create.Labels, now),
        (CreateImageName create, _) => Decision.Reject(
            FaultKind.AlreadyExists, "image.exists", $"image \"{create.EntityId}\": already exists"),
        (UpdateImageName update, { } known) => Update(update, known, now),
        (PutImage { Replace: false } put, var known) when known.Target.Digest != put.Target.Digest => Decision.Reject(
            FaultKind.AlreadyExists, "image.exists",
            $"Image {put.EntityId} exists already, as {known.Target.Digest}; it can be replaced on request."),
        (PutImage put, var known) when known.Target == put.Target && (known.Labels.SequenceEqual(put.Labels) || !put.Replace) =>
            Decision.Answering(known),
        (PutImage put, var known) => Decision.Accept(
            [new ImageUpdated(known.Name, put.Target, put.Labels, now)], [],
            known with { Target = put.Target, Labels = put.Labels, UpdatedAt = now }),
        (RemoveImageName { TargetDigest.Length: > 0 } remove, { } known) when known.Target.Digest != remove.TargetDigest => Decision.Reject(
            FaultKind.NotFound, "image.other-target", $"image \"{known.Name}\" has the target {known.Target.Digest} now: not found"),
        (RemoveImageName remove, not null) =>
            Decision.Accept([new ImageRemoved(remove.EntityId, now)], [], new ImageNameRemoved(remove.EntityId)),
        (IImageCommand other, null) => Decision.Reject(Missing(other.EntityId)),
        _ => Decision.Nothing,
    };

    public ImmutableArray<IEffect> Unfinished() => [];

    internal static RuntimeFault Missing(string name) => new(FaultKind.NotFound, "image.not-found", $"image \"{name}\": not found");

    private static Decision Create(
        string name, ImageTarget target, ImmutableSortedDictionary<string, string> labels, DateTimeOffset now) => Decision.Accept(
        [new ImageCreated(name, target, labels, now)], [], new ImageView(name, target, labels, now, now));

    private static Decision Update(UpdateImageName update, ImageView known, DateTimeOffset now)
    {
        var target = update.Target ?? known.Target;
        var labels = update.Labels is { } given ? known.Labels.Replace(given, update.Names) : known.Labels;
        return Decision.Accept(
            [new ImageUpdated(known.Name, target, labels, now)], [],
            known with { Target = target, Labels = labels, UpdatedAt = now });
    }
}
