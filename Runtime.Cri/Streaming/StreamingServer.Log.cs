using Microsoft.Extensions.Logging;

namespace Runtime.Cri.Streaming;

public sealed partial class StreamingServer
{
    [LoggerMessage(Level = LogLevel.Information, Message = "A stream ({Kind}) is closed: nothing has moved for the idle timeout")]
    private partial void LogIdle(string kind);

    [LoggerMessage(Level = LogLevel.Debug, Message = "A stream ({Kind}) broke off: {Reason}")]
    private partial void LogBroken(string kind, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A stream ({Kind}) failed")]
    private partial void LogDefect(Exception defect, string kind);
}
