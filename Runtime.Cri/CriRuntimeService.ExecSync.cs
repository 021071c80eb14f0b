using Google.Protobuf;
using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Cri.Mapping;
using Runtime.Cri.V1;

namespace Runtime.Cri;

public sealed partial class CriRuntimeService
{
    /// <summary>A command that fails is an exit code, not an error; one that takes too long is DeadlineExceeded.</summary>
    public override async Task<ExecSyncResponse> ExecSync(ExecSyncRequest request, ServerCallContext context)
    {
        if (request.Cmd.Count == 0) throw RequestCheck.Missing("cmd");
        var exec = new ExecSync(
            Space,
            _ids.Container(request.ContainerId).Id,
            CriIds.New(),
            [.. request.Cmd.Select(argument => RequestCheck.NoNul(argument, "cmd"))],
            WireTime.Seconds(request.Timeout, "timeout"));
        var result = await edge.AskAsync<ExecSyncResult>(exec, context.CancellationToken);
        return new ExecSyncResponse
        {
            ExitCode = result.ExitCode,
            Stdout = UnsafeByteOperations.UnsafeWrap(result.Stdout),
            Stderr = UnsafeByteOperations.UnsafeWrap(result.Stderr),
        };
    }

    public override async Task<ReopenContainerLogResponse> ReopenContainerLog(
        ReopenContainerLogRequest request, ServerCallContext context)
    {
        var view = _ids.Container(request.ContainerId);
        await edge.AskAsync<LogReopened>(new ReopenLog(Space, view.Id), context.CancellationToken);
        return new ReopenContainerLogResponse();
    }
}
