using System.Text;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Io;
using Runtime.Linux.Processes;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Commands;

/// <summary>
/// <c>-v</c>, and <c>-info</c>: a containerd.types.RuntimeInfo (name 1, version 2, options 3, features 4), options on standard input.
/// </summary>
internal static class InfoCommand
{
    private const string Name = "io.containerd.actor.v1";
    private const string Version = "0.1.0";
    private const string FeaturesType = "types.containerd.io/opencontainers/runtime-spec/1/features/Features";
    private const int MaxFeatureBytes = 1024 * 1024;

    public static int PrintVersion()
    {
        Console.Out.WriteLine($"containerd-shim-actor-v1:\n  Version:  {Version}");
        return 0;
    }

    public static int Run()
    {
        var options = StartInput.Read("").Options;
        using var writer = new WireWriter();
        writer.String(1, Name);
        var version = writer.Begin(2);
        writer.String(1, Version);
        writer.End(version);
        writer.Message(3, WireAny.Pack("containerd.runc.v1.Options", options));
        if (Features(options.BinaryName.Length > 0 ? options.BinaryName : "runc") is { Length: > 0 } features)
            writer.Message(4, new WireAny(FeaturesType, features));
        using var output = Console.OpenStandardOutput();
        output.Write(writer.Written);
        return 0;
    }

    /// <summary>What <c>RUNTIME features</c> prints; nothing from a runtime that has no such command.</summary>
    private static byte[] Features(string binary)
    {
        var (read, write) = RawIo.Pipe();
        using (read)
        {
            try
            {
                var pid = Spawner.Spawn(new(binary, [binary, "features"]) { Stdout = write });
                write.Dispose();
                var features = Descriptors.ReadToEnd(read, MaxFeatureBytes, "features");
                return Children.Reap(pid).Code == 0 ? features : [];
            }
            catch (FaultException missing) when (missing.Fault.Kind == FaultKind.NotFound)
            {
                return Encoding.UTF8.GetBytes("");
            }
            finally
            {
                write.Dispose();
            }
        }
    }
}
