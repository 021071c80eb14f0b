using System.Collections.Immutable;
using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>Reads a directory of CNI configuration.</summary>
internal static class CniConfigFiles
{
    /// <summary>Bytes of one file; a chain of ten plugins has about 2 KiB.</summary>
    private const long SizeMax = 1 << 20;

    /// <summary>The networks of the first files, in the order of their names.</summary>
    /// <remarks>
    /// A broken file is not passed over: the next one would be another network, which nobody asked for.
    /// </remarks>
    /// <param name="max">0 for all.</param>
    /// <exception cref="FaultException">Unavailable when there is none; InvalidArgument for a broken file.</exception>
    public static ImmutableArray<CniNetworkConfig> Read(string directory, int max)
    {
        try
        {
            var files = Directory.EnumerateFiles(directory)
                .Where(file => Path.GetExtension(file) is ".conflist" or ".conf" or ".json")
                .Order(StringComparer.Ordinal)
                .Take(max == 0 ? int.MaxValue : max)
                .Select(file => CniNetworkConfig.Parse(Text(file), file))
                .ToImmutableArray();
            return files.IsEmpty ? throw None(directory, "has no .conflist, .conf or .json file") : files;
        }
        catch (DirectoryNotFoundException)
        {
            throw None(directory, "does not exist");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.Unavailable, "network.not-ready",
                $"CNI configuration in {directory} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static string Text(string file) =>
        new FileInfo(file).Length <= SizeMax
            ? File.ReadAllText(file)
            : throw new FaultException(FaultKind.InvalidArgument, "cni.invalid-config", $"{file} is larger than 1 MiB.");

    private static FaultException None(string directory, string what) => new(
        FaultKind.Unavailable, "network.not-ready",
        $"No network for pods: CNI configuration directory {directory} {what}. A network add-on usually writes it.");
}
