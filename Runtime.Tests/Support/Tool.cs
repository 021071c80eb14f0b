using System.Diagnostics;

namespace Runtime.Tests.Support;

/// <summary>Runs a program of the machine to its end.</summary>
public static class Tool
{
    /// <summary>Standard output. Fails with standard error when the exit code is not 0.</summary>
    public static async Task<string> RunAsync(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{file} {string.Join(' ', arguments)} exited with {process.ExitCode}: {await errors}{await output}");
    }

    /// <summary>Runs a program that may fail, to clean up: whether it succeeded.</summary>
    public static async Task<bool> TryRunAsync(string file, params string[] arguments)
    {
        try
        {
            await RunAsync(file, arguments);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
