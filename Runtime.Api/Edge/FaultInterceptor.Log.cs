using Microsoft.Extensions.Logging;
using Runtime.Faults;

namespace Runtime.Api.Edge;

public sealed partial class FaultInterceptor
{
    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed unexpectedly ({Code}): {Reason}")]
    private partial void LogDefect(string method, string code, string reason, Exception cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} failed: {Kind} ({Code}): {Reason}")]
    private partial void LogFailed(string method, FaultKind kind, string code, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} refused: {Kind} ({Code}): {Reason}")]
    private partial void LogRefused(string method, FaultKind kind, string code, string reason);
}
