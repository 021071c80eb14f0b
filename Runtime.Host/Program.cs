using Runtime.Host.Configuration;

string? config = null;
if (args is ["config", var verb, .. var rest])
{
    if (rest is ["--config" or "-c", var path]) config = path;
    return ConfigCommand.Run(verb, config, Console.Out, Console.Error);
}
return 0;
