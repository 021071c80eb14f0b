using System.Reflection;

namespace Runtime.Host;

internal static class ActordVersion
{
    /// <summary>Semantic version, without build metadata.</summary>
    public static string Text { get; } =
        typeof(ActordVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
