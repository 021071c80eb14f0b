namespace Runtime.Actors.Shims;

/// <summary>What the OCI runtime of a handler can do on this kernel.</summary>
/// <param name="RecursiveReadOnlyMounts">The runtime knows <c>rro</c>, and the kernel is 5.12 or later.</param>
/// <param name="UserNamespaces">The runtime and the kernel can map the owners of mounts.</param>
public sealed record HandlerFeatures(bool RecursiveReadOnlyMounts, bool UserNamespaces)
{
    public static HandlerFeatures None { get; } = new(false, false);

    /// <summary>Where nothing has been found out.</summary>
    public static IHandlerFeatures Unknown { get; } = new NoFeatures();

    private sealed class NoFeatures : IHandlerFeatures
    {
        public HandlerFeatures FeaturesOf(string handler) => None;
    }
}

/// <summary>Answers from memory.</summary>
public interface IHandlerFeatures
{
    /// <summary>
    /// Of a handler of the configuration, by its name; <see cref="HandlerFeatures.None"/> for another.
    /// </summary>
    HandlerFeatures FeaturesOf(string handler);
}
