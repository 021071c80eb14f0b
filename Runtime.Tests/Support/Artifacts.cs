namespace Runtime.Tests.Support;

/// <summary>Finds the native binaries that <c>deploy/build</c> made, and the tools of the machine.</summary>
public static class Artifacts
{
    /// <summary>The root of the checkout that these tests were built in.</summary>
    public static string Checkout { get; } = FindCheckout();

    /// <summary>Directory with actord, actr and containerd-shim-actor-v1; ACTORD_BIN overrides it.</summary>
    public static string Bin { get; } =
        Environment.GetEnvironmentVariable("ACTORD_BIN") ?? Path.Combine(Checkout, "artifacts", "bin");

    public static string Shim => Existing("containerd-shim-actor-v1");

    public static string Daemon => Existing("actord");

    public static string Cli => Existing("actr");

    private static string Existing(string name)
    {
        var path = Path.Combine(Bin, name);
        return File.Exists(path)
            ? path
            : throw new FileNotFoundException($"{path} is missing: run deploy/build first.");
    }

    private static string FindCheckout()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Runtime.sln")))
            at = Path.GetDirectoryName(at) ?? throw new DirectoryNotFoundException("No Runtime.sln above the tests.");
        return at;
    }
}
