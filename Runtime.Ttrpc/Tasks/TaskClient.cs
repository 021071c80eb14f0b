using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Tasks;

/// <summary>Calls the task service of a shim, in version 3 (<c>containerd.task.v3.Task</c>) or 2; the messages are the same.</summary>
/// <param name="version">2 or 3. Probe with <see cref="ConnectAsync"/>: Unimplemented for a version that the shim lacks.</param>
public sealed class TaskClient(TtrpcClient client, int version)
{
    private readonly string _service = $"containerd.task.v{version}.Task";

    public int Version => version;

    public TtrpcClient Connection => client;

    public async Task<uint> CreateAsync(CreateTaskRequest request, CallOptions options, CancellationToken cancellation) =>
        (await CallAsync<CreateTaskRequest, PidResponse>("Create", request, options, cancellation)).Pid;

    public async Task<uint> StartAsync(string id, string execId, CallOptions options, CancellationToken cancellation) =>
        (await CallAsync<ProcessRequest, PidResponse>("Start", Of(id, execId), options, cancellation)).Pid;

    public Task ExecAsync(ExecProcessRequest request, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ExecProcessRequest, Empty>("Exec", request, options, cancellation);

    public Task<StateResponse> StateAsync(string id, string execId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ProcessRequest, StateResponse>("State", Of(id, execId), options, cancellation);

    public Task<WaitResponse> WaitAsync(string id, string execId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ProcessRequest, WaitResponse>("Wait", Of(id, execId), options, cancellation);

    public Task KillAsync(KillRequest request, CallOptions options, CancellationToken cancellation) =>
        CallAsync<KillRequest, Empty>("Kill", request, options, cancellation);

    public Task<DeleteResponse> DeleteAsync(string id, string execId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ProcessRequest, DeleteResponse>("Delete", Of(id, execId), options, cancellation);

    public Task<PidsResponse> PidsAsync(string id, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ContainerRequest, PidsResponse>("Pids", new() { Id = id }, options, cancellation);

    public Task PauseAsync(string id, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ContainerRequest, Empty>("Pause", new() { Id = id }, options, cancellation);

    public Task ResumeAsync(string id, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ContainerRequest, Empty>("Resume", new() { Id = id }, options, cancellation);

    public Task UpdateAsync(UpdateTaskRequest request, CallOptions options, CancellationToken cancellation) =>
        CallAsync<UpdateTaskRequest, Empty>("Update", request, options, cancellation);

    public Task CheckpointAsync(CheckpointTaskRequest request, CallOptions options, CancellationToken cancellation) =>
        CallAsync<CheckpointTaskRequest, Empty>("Checkpoint", request, options, cancellation);

    public Task ResizePtyAsync(ResizePtyRequest request, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ResizePtyRequest, Empty>("ResizePty", request, options, cancellation);

    public Task CloseStdinAsync(string id, string execId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<CloseIoRequest, Empty>("CloseIO", new() { Id = id, ExecId = execId, Stdin = true }, options, cancellation);

    public async Task<WireAny> StatsAsync(string id, CallOptions options, CancellationToken cancellation) =>
        (await CallAsync<ContainerRequest, StatsResponse>("Stats", new() { Id = id }, options, cancellation)).Stats
            ?? new WireAny("", default);

    public Task<ConnectResponse> ConnectAsync(string id, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ContainerRequest, ConnectResponse>("Connect", new() { Id = id }, options, cancellation);

    public Task ShutdownAsync(string id, bool now, CallOptions options, CancellationToken cancellation) =>
        CallAsync<ShutdownRequest, Empty>("Shutdown", new() { Id = id, Now = now }, options, cancellation);

    private static ProcessRequest Of(string id, string execId) => new() { Id = id, ExecId = execId };

    private Task<TResponse> CallAsync<TRequest, TResponse>(
        string method, TRequest request, CallOptions options, CancellationToken cancellation)
        where TRequest : IWireMessage<TRequest>
        where TResponse : IWireMessage<TResponse> =>
        client.CallAsync<TRequest, TResponse>(_service, method, request, options.Namespace, options.Timeout, cancellation);
}
