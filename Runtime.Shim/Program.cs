using Runtime.Faults;
using Runtime.Shim;
using Runtime.Shim.Commands;

try
{
    var arguments = ShimArguments.Parse(args);
    return arguments.Command switch
    {
        ShimCommand.Start => StartCommand.Run(arguments),
        ShimCommand.Delete => DeleteCommand.Run(arguments),
        ShimCommand.Serve => ShimServer.Run(arguments),
        ShimCommand.Info => InfoCommand.Run(),
        _ => InfoCommand.PrintVersion(),
    };
}
catch (FaultException refused)
{
    Console.Error.WriteLine($"containerd-shim-actor-v1: {refused.Message}");
    return 1;
}
