using System.Collections.Concurrent;
using Akka.Event;
using Runtime.Actors.Namespaces;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;

namespace Runtime.Actors.Shims;

/// <summary>The shims of this machine: binaries that are started, and sockets that are spoken to.</summary>
/// <param name="log">Takes what shims other than ours log.</param>
public sealed class ShimManager(ShimOptions options, TimeProvider clock, ILoggingAdapter log) : IShims, IDisposable
{
    private readonly ShimBinaries _binaries = new(options.BinaryDirectory);
    private readonly ConcurrentDictionary<string, ShimConnection> _connections = new();
    private readonly ShimLogs _logs = new(log);

    public async Task<IShim> StartAsync(ShimStart start, CancellationToken cancellation)
    {
        var bundle = options.Directories.Bundle(start.Space.Value, start.Id);
        // 1. It may run already: a start that is repeated.
        if (ShimBootstrap.TryRead(bundle) is { } own) return await ReachAsync(start.Space, bundle, own, cancellation);
        // 2. The pod's shim takes its containers in, without another process.
        var binary = _binaries.Resolve(start.RuntimeType);
        var group = options.Directories.Bundle(start.Space.Value, start.GroupId);
        if (start.GroupId != start.Id && ShimBootstrap.TryRead(group) is { Version: >= ShimBootstrap.VersionMax } pods)
        {
            var shim = await ReachAsync(start.Space, group, pods, cancellation);
            ShimBootstrap.WriteBinary(bundle, ShimBootstrap.BinaryOf(group));
            pods.Write(bundle);
            return shim;
        }
        // 3. A new one. Whatever happens now, the bundle says what to clean up with.
        ShimBootstrap.WriteBinary(bundle, binary);
        if (!ShimBinaries.IsNative(binary)) _logs.Follow(bundle);
        Directory.CreateDirectory(options.SocketDirectory);
        var run = new ShimCommand(options, binary, start.Space.Value, start.Id, bundle);
        // A start that has begun is not cancelled, only bounded: killed half way, it could leave a shim that no file knows.
        var answer = await run.RunAsync("start", InputOf(start, binary), options.StartTimeout, CancellationToken.None);
        var started = ShimBootstrap.Parse(answer, binary);
        started.Write(bundle);
        cancellation.ThrowIfCancellationRequested();
        started = await WithEffectiveVersionAsync(started, binary, start, cancellation);
        started.Write(bundle);
        return await ReachAsync(start.Space, bundle, started, cancellation);
    }

    public async Task<IShim> ConnectAsync(NamespaceName space, string id, CancellationToken cancellation)
    {
        var bundle = options.Directories.Bundle(space.Value, id);
        var bootstrap = ShimBootstrap.TryRead(bundle)
            ?? throw new FaultException(FaultKind.Unavailable, "shim.dead", $"{bundle} has no shim.");
        return await ReachAsync(space, bundle, bootstrap, cancellation);
    }

    public async Task CleanUpAsync(NamespaceName space, string id, CancellationToken cancellation)
    {
        var bundle = options.Directories.Bundle(space.Value, id);
        if (!Directory.Exists(bundle)) return;
        if (ShimBootstrap.TryRead(bundle) is { } bootstrap) _connections.TryRemove(bootstrap.Address, out _);
        await ShimStrays.KillAsync(bundle, id, clock, cancellation);
        if (ShimBootstrap.BinaryOf(bundle) is { Length: > 0 } binary)
        {
            // An upgrade may have moved it; the name stays.
            if (!File.Exists(binary)) binary = new ShimBinaries(options.BinaryDirectory).Resolve($"x.{NameAsType(binary)}");
            if (!ShimBinaries.IsNative(binary)) _logs.Follow(bundle);
            var run = new ShimCommand(options, binary, space.Value, id, bundle);
            await DeleteAsync(run, binary, cancellation);
        }
        Remove(bundle);
    }

    public void Forget(NamespaceName space, string id, bool hasShimEnded)
    {
        var bundle = options.Directories.Bundle(space.Value, id);
        if (hasShimEnded && ShimBootstrap.TryRead(bundle) is { } bootstrap) _connections.TryRemove(bootstrap.Address, out _);
        Remove(bundle);
    }

    public void Dispose() => _logs.Dispose();

    // Ours says truly whether something is left. Others fail where they never came as far as to have something.
    private async Task DeleteAsync(ShimCommand run, string binary, CancellationToken cancellation)
    {
        try
        {
            await run.RunAsync("delete", [], options.CleanUpTimeout, cancellation);
        }
        catch (FaultException failed) when (!ShimBinaries.IsNative(binary) && failed.Fault.Kind == FaultKind.Unavailable)
        {
            log.Warning("{Message}", failed.Message);
        }
    }

    private void Remove(string bundle)
    {
        Mounter.UnmountTree(bundle, lazy: true);
        DirectoryTree.Delete(bundle);
        _logs.Forget(bundle);
    }

    private static string NameAsType(string binary) =>
        Path.GetFileName(binary).Replace("containerd-shim-", "", StringComparison.Ordinal).Replace('-', '.');

    /// <summary>Ours reads what containerd writes since 2.3; any shim before that takes the options alone.</summary>
    private byte[] InputOf(ShimStart start, string binary) => ShimBinaries.IsNative(binary)
        ? WireWriter.ToArray(new BootstrapParams
        {
            InstanceId = start.Id,
            Namespace = start.Space.Value,
            ContainerdGrpcAddress = options.GrpcAddress,
            ContainerdTtrpcAddress = ShimCommand.TtrpcAddress(options),
            ContainerdBinary = options.PublishBinary,
            SocketDir = options.SocketDirectory,
            Extensions = TtrpcShim.OptionsFor(binary, start.Given, start.Options, options) is { } own ? [own] : [],
        })
        : TtrpcShim.OptionsFor(binary, start.Given, start.Options, options) is { } given ? WireWriter.ToArray(given) : [];

    // A binary that is newer than the shim that runs reports its own version (containerd#10888): so the shim is asked.
    private async Task<ShimBootstrap> WithEffectiveVersionAsync(
        ShimBootstrap started, string binary, ShimStart start, CancellationToken cancellation)
    {
        if (started.Version < ShimBootstrap.VersionMax || ShimBinaries.IsNative(binary)) return started;
        var client = await ConnectionTo(started).GetAsync(cancellation);
        try
        {
            await new TaskClient(client, started.Version).ConnectAsync(
                start.Id, new CallOptions(start.Space.Value, options.LoadTimeout), cancellation);
            return started;
        }
        catch (FaultException refused) when (refused.Fault.Kind == FaultKind.Unimplemented)
        {
            return started with { Version = 2 };
        }
        catch (FaultException unknown) when (unknown.Fault.Kind == FaultKind.NotFound)
        {
            return started; // it knows the call, but no such task yet
        }
    }

    private async Task<IShim> ReachAsync(NamespaceName space, string bundle, ShimBootstrap bootstrap, CancellationToken cancellation)
    {
        var connection = ConnectionTo(bootstrap);
        try
        {
            await connection.GetAsync(cancellation);
        }
        catch (FaultException)
        {
            _connections.TryRemove(KeyValuePair.Create(bootstrap.Address, connection));
            throw;
        }
        var binary = ShimBootstrap.BinaryOf(bundle);
        if (!ShimBinaries.IsNative(binary) && Directory.Exists(bundle)) _logs.Follow(bundle);
        return new TtrpcShim(
            connection, bootstrap.Version, binary, space.Value, options, clock);
    }

    private ShimConnection ConnectionTo(ShimBootstrap bootstrap) =>
        _connections.GetOrAdd(bootstrap.Address, static (address, limit) => new ShimConnection(address, limit), options.LoadTimeout);
}
