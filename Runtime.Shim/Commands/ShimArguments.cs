using Runtime.Faults;

namespace Runtime.Shim.Commands;

internal enum ShimCommand
{
    Version,
    Info,
    Start,
    Delete,

    /// <summary>Internal: the server that <c>start</c> leaves behind; descriptor 3 is its listener.</summary>
    Serve,
}

/// <summary>The command line of shim v2: flags in Go's style (<c>-id X</c>, <c>--id=X</c>), then the command.</summary>
internal sealed record ShimArguments
{
    public ShimCommand Command { get; init; }

    public string Namespace { get; init; } = "";

    public string Id { get; init; } = "";

    /// <summary>The daemon's gRPC socket.</summary>
    public string Address { get; init; } = "";

    public string PublishBinary { get; init; } = "";

    /// <summary>Absolute; the working directory unless given.</summary>
    public string Bundle { get; init; } = "";

    public string Socket { get; init; } = "";

    public bool Debug { get; init; }

    /// <exception cref="FaultException">InvalidArgument, <c>shim.bad-arguments</c>.</exception>
    public static ShimArguments Parse(ReadOnlySpan<string> args)
    {
        var parsed = new ShimArguments { Bundle = Environment.CurrentDirectory };
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith('-'))
                return parsed.WithCommand(args[i]);
            var flag = args[i].TrimStart('-');
            string? value = null;
            if (flag.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
                (flag, value) = (flag[..equals], flag[(equals + 1)..]);
            switch (flag)
            {
                case "v" or "version": return parsed with { Command = ShimCommand.Version };
                case "info": return parsed with { Command = ShimCommand.Info };
                case "debug": parsed = parsed with { Debug = value is null or "true" }; continue;
            }
            if (value is null && ++i == args.Length)
                throw Bad($"-{flag} needs a value");
            value ??= args[i];
            parsed = flag switch
            {
                "namespace" => parsed with { Namespace = value },
                "id" => parsed with { Id = value },
                "address" => parsed with { Address = value },
                "publish-binary" => parsed with { PublishBinary = value },
                "bundle" => parsed with { Bundle = Path.GetFullPath(value) },
                "socket" => parsed with { Socket = value },
                _ => throw Bad($"there is no -{flag}"),
            };
        }
        throw Bad("the command is missing: start, delete, -v or -info");
    }

    private ShimArguments WithCommand(string command)
    {
        var parsed = this with
        {
            Command = command switch
            {
                "start" => ShimCommand.Start,
                "delete" => ShimCommand.Delete,
                "serve" => ShimCommand.Serve,
                _ => throw Bad($"there is no command {command}"),
            },
        };
        if (parsed.Id.Length == 0 || parsed.Namespace.Length == 0)
            throw Bad("-namespace and -id are needed");
        if (parsed.Id.Contains('/') || parsed.Id is "." or ".." || parsed.Namespace.Contains('/'))
            throw Bad("-namespace and -id are no paths");
        return parsed;
    }

    private static FaultException Bad(string why) => new(FaultKind.InvalidArgument, "shim.bad-arguments", $"{why}.");
}
