using System.CommandLine;

namespace Runtime.Cli;

/// <summary>Options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string> Address = new("--address", "-a")
    {
        Description = "The daemon's socket; ACTORD_ADDRESS sets it too.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("ACTORD_ADDRESS") ?? "/run/actord/actord.sock",
        Recursive = true,
    };

    public static readonly Option<string> Namespace = new("--namespace", "-n")
    {
        Description = "containerd namespace of images; pods and containers live in k8s.io.",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("CONTAINERD_NAMESPACE") ?? "k8s.io",
        Recursive = true,
    };

    public static readonly Option<OutputForm> Output = new("--output", "-o")
    {
        Description = "table or json.",
        Recursive = true,
    };

    public static readonly Option<double> Timeout = new("--timeout")
    {
        Description = "Seconds after which a call is given up; 0 for none.",
        DefaultValueFactory = _ => 0,
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        root.Add(Address);
        root.Add(Namespace);
        root.Add(Output);
        root.Add(Timeout);
    }

    public static bool WantsJson(this ParseResult parsed) => parsed.GetValue(Output) is OutputForm.Json;
}

internal enum OutputForm
{
    Table,
    Json,
}
