using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Sandboxes;

/// <summary>Calls the sandbox service of a shim: <c>containerd.runtime.sandbox.v1.Sandbox</c>.</summary>
public sealed class SandboxClient(TtrpcClient client)
{
    public const string Service = "containerd.runtime.sandbox.v1.Sandbox";

    public Task CreateAsync(CreateSandboxRequest request, CallOptions options, CancellationToken cancellation) =>
        CallAsync<CreateSandboxRequest, Empty>("CreateSandbox", request, options, cancellation);

    public Task<StartSandboxResponse> StartAsync(string sandboxId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<SandboxRequest, StartSandboxResponse>("StartSandbox", Of(sandboxId), options, cancellation);

    public async Task<PlatformMessage?> PlatformAsync(string sandboxId, CallOptions options, CancellationToken cancellation) =>
        (await CallAsync<SandboxRequest, PlatformResponse>("Platform", Of(sandboxId), options, cancellation)).Platform;

    /// <summary>Waits, as long as it takes, until the sandbox is stopped or its pid 1 is dead.</summary>
    public Task<WaitResponse> WaitAsync(string sandboxId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<SandboxRequest, WaitResponse>("WaitSandbox", Of(sandboxId), options, cancellation);

    public Task StopAsync(string sandboxId, TimeSpan grace, CallOptions options, CancellationToken cancellation) =>
        CallAsync<StopSandboxRequest, Empty>(
            "StopSandbox", new() { SandboxId = sandboxId, TimeoutSecs = (uint)Math.Ceiling(grace.TotalSeconds) }, options, cancellation);

    public Task<SandboxStatusResponse> StatusAsync(
        string sandboxId, bool verbose, CallOptions options, CancellationToken cancellation) =>
        CallAsync<SandboxStatusRequest, SandboxStatusResponse>(
            "SandboxStatus", new() { SandboxId = sandboxId, Verbose = verbose }, options, cancellation);

    public Task PingAsync(string sandboxId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<SandboxRequest, Empty>("PingSandbox", Of(sandboxId), options, cancellation);

    /// <summary>Ends the shim.</summary>
    public Task ShutdownAsync(string sandboxId, CallOptions options, CancellationToken cancellation) =>
        CallAsync<SandboxRequest, Empty>("ShutdownSandbox", Of(sandboxId), options, cancellation);

    private static SandboxRequest Of(string sandboxId) => new() { SandboxId = sandboxId };

    private Task<TResponse> CallAsync<TRequest, TResponse>(
        string method, TRequest request, CallOptions options, CancellationToken cancellation)
        where TRequest : IWireMessage<TRequest>
        where TResponse : IWireMessage<TResponse> =>
        client.CallAsync<TRequest, TResponse>(Service, method, request, options.Namespace, options.Timeout, cancellation);
}
