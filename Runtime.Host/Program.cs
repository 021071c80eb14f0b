using Runtime.Faults;
using Runtime.Host;
using Runtime.Host.Configuration;

const string Usage =
    """
    actord [--config FILE]                   runs the daemon
    actord config default                    prints every key with its default and what it is for
    actord config dump [--config FILE]       prints what is in effect
    actord config check [--config FILE]      checks a configuration file
    actord version                           prints the version
    """;

try
{
    switch (args)
    {
        case ["config", var verb]:
            return ConfigCommand.Run(verb, null, Console.Out, Console.Error);
        case ["config", var verb, "--config" or "-c", var file]:
            return ConfigCommand.Run(verb, file, Console.Out, Console.Error);
        case ["version" or "--version" or "-v"]:
            Console.WriteLine($"actord {ActordVersion.Text}");
            return 0;
        case ["help" or "--help" or "-h"]:
            Console.WriteLine(Usage);
            return 0;
        case ["publish", .. var rest]:
            return await PublishCommand.RunAsync(rest, Console.OpenStandardInput(), Console.Error);
        case []:
            return await Daemon.RunAsync(null);
        case ["--config" or "-c", var file]:
            return await Daemon.RunAsync(file);
        default:
            Console.Error.WriteLine($"actord: unknown arguments: {string.Join(' ', args)}\n{Usage}");
            return 2;
    }
}
catch (ConfigException wrong)
{
    foreach (var finding in wrong.Findings) Console.Error.WriteLine(finding);
    return 1;
}
catch (FaultException fault)
{
    Console.Error.WriteLine($"actord: {fault.Fault.Message} ({fault.Fault.Code})");
    return 1;
}
