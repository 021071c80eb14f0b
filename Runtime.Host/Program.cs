using Runtime.Host.Configuration;

return args switch
{
    ["config", var verb] => ConfigCommand.Run(verb, null, Console.Out, Console.Error),
    ["config", var verb, "--config" or "-c", var file] => ConfigCommand.Run(verb, file, Console.Out, Console.Error),
    _ => 2,
};
