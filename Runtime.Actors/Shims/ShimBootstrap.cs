using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Runtime.Faults;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.Shims;

/// <summary>
/// What <c>start</c> answered, and what the bundle's bootstrap.json keeps so that a later daemon finds the shim again.
/// </summary>
/// <param name="Version">Of the task API: 2 or 3.</param>
/// <param name="Address"><c>unix:///run/...</c>.</param>
public sealed record ShimBootstrap(
    [property: JsonPropertyName("version")] int Version,
    [property: JsonPropertyName("address")] string Address,
    [property: JsonPropertyName("protocol")] string Protocol)
{
    public const int VersionMax = 3;

    private const string FileName = "bootstrap.json";
    private const string BinaryFileName = "shim-binary-path";

    /// <summary>Parses the output of <c>start</c>: a protobuf message since containerd 2.3, JSON before, and before that the bare address.</summary>
    /// <exception cref="FaultException">Unavailable (<c>shim.bad-answer</c>); Unimplemented for a newer API or another protocol.</exception>
    public static ShimBootstrap Parse(ReadOnlySpan<byte> output, string binary)
    {
        var parsed = Decode(output, binary);
        if (string.IsNullOrEmpty(parsed.Address)) throw Bad(binary, "it names no address");
        if (parsed.Version is < 2 or > VersionMax)
            throw new FaultException(FaultKind.Unimplemented, "shim.unknown-version",
                $"{binary} speaks version {parsed.Version} of the task API; 2 to {VersionMax} are known.");
        return parsed.Protocol is "ttrpc"
            ? parsed
            : throw new FaultException(FaultKind.Unimplemented, "shim.unknown-protocol", $"{binary} speaks {parsed.Protocol}, not ttrpc.");
    }

    /// <summary>Null when the bundle has none: no shim was started for it, or its task is gone.</summary>
    public static ShimBootstrap? TryRead(string bundle)
    {
        var path = Path.Combine(bundle, FileName);
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ShimJson.Default.ShimBootstrap);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException malformed)
        {
            throw new FaultException(FaultKind.DataLoss, "shim.bad-bootstrap", $"{path}: {malformed.Message}", malformed);
        }
    }

    /// <summary>The binary that serves the bundle; empty when none was started.</summary>
    public static string BinaryOf(string bundle)
    {
        try
        {
            return File.ReadAllText(Path.Combine(bundle, BinaryFileName)).Trim();
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return ""; // never there, or forgotten just now: the end of a task and its removal come together
        }
    }

    /// <summary>Before the start: what to clean up with, should the daemon end before the shim has answered.</summary>
    public static void WriteBinary(string bundle, string binary) => Replace(Path.Combine(bundle, BinaryFileName), Encoding.UTF8.GetBytes(binary));

    public void Write(string bundle) =>
        Replace(Path.Combine(bundle, FileName), JsonSerializer.SerializeToUtf8Bytes(this, ShimJson.Default.ShimBootstrap));

    /// <summary>Its task is deleted: nobody has to be asked or cleaned up after any more.</summary>
    public static void Forget(string bundle)
    {
        try
        {
            File.Delete(Path.Combine(bundle, FileName));
            File.Delete(Path.Combine(bundle, BinaryFileName));
        }
        catch (DirectoryNotFoundException)
        {
            // The bundle is gone, and they with it.
        }
    }

    private static ShimBootstrap Decode(ReadOnlySpan<byte> output, string binary)
    {
        var text = Encoding.UTF8.GetString(output).Trim();
        if (text.Length == 0) throw Bad(binary, "it is empty");
        try
        {
            if (text[0] == '{')
                return JsonSerializer.Deserialize(text, ShimJson.Default.ShimBootstrap) ?? throw Bad(binary, "it is null");
            if (text.StartsWith("unix://", StringComparison.Ordinal) || text[0] == '/') return new ShimBootstrap(2, text, "ttrpc");
            var message = BootstrapResult.Read(new WireReader(output));
            return new ShimBootstrap(message.Version, message.Address, message.Protocol.Length > 0 ? message.Protocol : "ttrpc");
        }
        catch (JsonException malformed)
        {
            throw Bad(binary, malformed.Message);
        }
        catch (FaultException malformed)
        {
            throw Bad(binary, malformed.Message);
        }
    }

    private static FaultException Bad(string binary, string why) =>
        new(FaultKind.Unavailable, "shim.bad-answer", $"The answer of {binary} to start cannot be used: {why}.");

    // A reader sees all or nothing. The state directory does not outlive a crash of the machine, so nothing is synced.
    private static void Replace(string path, byte[] content)
    {
        File.WriteAllBytes($"{path}.new", content);
        File.Move($"{path}.new", path, overwrite: true);
    }
}

[JsonSerializable(typeof(ShimBootstrap))]
internal sealed partial class ShimJson : JsonSerializerContext;
