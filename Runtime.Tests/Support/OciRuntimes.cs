namespace Runtime.Tests.Support;

/// <summary>OCI runtimes of the machine, beside the one that all tests use.</summary>
public static class OciRuntimes
{
    /// <summary>One that has id-mapped and recursive read-only mounts: what ACTORD_OCI_RUNTIME names, runc or crun; null for none.</summary>
    public static async Task<string?> WithIdMappedMountsAsync()
    {
        foreach (var runtime in new[] { Environment.GetEnvironmentVariable("ACTORD_OCI_RUNTIME") ?? "", "runc", "crun" })
        {
            if (runtime.Length == 0) continue;
            var features = await TryFeaturesAsync(runtime);
            if (features.Contains("\"mountExtensions\"", StringComparison.Ordinal)) return runtime;
        }
        return null;
    }

    private static async Task<string> TryFeaturesAsync(string runtime)
    {
        try
        {
            return await Tool.RunAsync(runtime, "features");
        }
        catch (Exception lacking) when (lacking is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return ""; // too old for the command, or not installed
        }
    }
}
