using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runtime.Actors.Shims;
using Runtime.Linux.Mounts;
using Runtime.Linux.Processes;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Actord;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Events;
using Runtime.Ttrpc.Rpc;
using Runtime.Ttrpc.Sandboxes;
using Runtime.Ttrpc.Tasks;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Integration.Shim;

/// <summary>A pod's native shim with a real OCI runtime, driven as a daemon drives it. Everything is gone after Dispose.</summary>
internal sealed class ShimPod : IAsyncDisposable
{
    public const string Namespace = "shimtest";
    public static readonly CallOptions Options = new(Namespace, TimeSpan.FromSeconds(60));

    private readonly TempDirectory _directory = new();
    private readonly string _runtime;
    private readonly string _id = Guid.NewGuid().ToString("N");
    private readonly List<string> _containers = [];
    private readonly Dictionary<string, string> _environment;
    private TtrpcClient? _client;

    public ShimPod(string runtime = "runc")
    {
        _runtime = runtime;
        _environment = new() { ["ACTORD_SHIM_SOCKET_DIR"] = _directory["s"], ["TTRPC_ADDRESS"] = _directory["events"] };
        Directory.CreateDirectory(_directory["rootfs/bin"]);
        foreach (var each in (string[])["proc", "dev", "sys", "tmp", "etc"])
            Directory.CreateDirectory(_directory[$"rootfs/{each}"]);
        File.Copy("/bin/busybox", _directory["rootfs/bin/busybox"]);
        foreach (var applet in (string[])["sh", "sleep", "echo", "cat", "seq", "ps", "head", "tr", "stty", "true", "kill"])
            File.CreateSymbolicLink(_directory[$"rootfs/bin/{applet}"], "busybox");
    }

    public string EventsPath => _directory["events"];

    public string Address { get; private set; } = "";

    public int ShimPid { get; private set; }

    public TaskClient Tasks => new(_client!, 3);

    public SandboxClient Sandboxes => new(_client!);

    public ShimClient Native => new(_client!);

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public string Bundle(string id) => _directory[$"b-{id}"];

    public string File_(string name) => _directory[name];

    public string Log(string id) => _directory[$"{id}.log"];

    /// <summary>An id that no other test run uses: the OCI runtime's cgroups are the machine's.</summary>
    public string Id(string name) => $"{name}-{_id[..8]}";

    /// <summary>Writes a bundle whose rootfs is bind-mounted by Create, and runs <c>start</c> in it.</summary>
    public async Task<string> StartShim(string name, string[] command, Action<JsonNode>? change = null, bool isBootstrap = true)
    {
        var id = Id(name);
        _containers.Add(id);
        Directory.CreateDirectory(Bundle(id));
        var spec = Spec(id, command);
        change?.Invoke(spec);
        await File.WriteAllTextAsync(Path.Combine(Bundle(id), "config.json"), spec.ToJsonString(), Cancellation);
        var input = WireWriter.ToArray(new BootstrapParams { InstanceId = id, Namespace = Namespace, SocketDir = _directory["s"] });
        var output = await RunShim(id, isBootstrap ? input : [], "start");
        var address = Encoding.UTF8.GetString(output);
        if (isBootstrap)
        {
            using var answer = JsonDocument.Parse(output);
            Assert.Equal(3, answer.RootElement.GetProperty("version").GetInt32());
            address = answer.RootElement.GetProperty("address").GetString()!;
        }
        Assert.True(Address.Length == 0 || Address == address, "the second start joins the first one's shim");
        Address = address;
        if (_client is null)
            await Connect();
        ShimPid = (int)(await Tasks.ConnectAsync(id, Options, Cancellation)).ShimPid;
        return id;
    }

    /// <summary>A daemon's new connection; the old one is closed.</summary>
    public async Task Connect()
    {
        if (_client is not null)
            await _client.DisposeAsync();
        _client = await TtrpcClient.ConnectAsync(Address, Cancellation);
    }

    public async Task Disconnect() => await _client!.DisposeAsync();

    public Task<uint> Create(string id, string stdout, string? stderr = null, string stdin = "", bool terminal = false) => Tasks.CreateAsync(
        new()
        {
            Id = id,
            Bundle = Bundle(id),
            Rootfs = [new("bind", _directory["rootfs"], "", ["rbind", "ro"])],
            Stdin = stdin,
            Stdout = stdout,
            Stderr = terminal ? "" : stderr ?? stdout,
            Terminal = terminal,
            Options = WireAny.Pack("containerd.runc.v1.Options", new RuncOptionsMessage { BinaryName = _runtime, Root = _directory["oci"] }),
        }, Options, Cancellation);

    /// <summary>shim, Create with a CRI log, Start.</summary>
    public async Task<string> Run(string name, string[] command, Action<JsonNode>? change = null)
    {
        var id = await StartShim(name, command, change);
        await Create(id, new CriLogUri(Log(id)).ToString());
        await Tasks.StartAsync(id, "", Options, Cancellation);
        return id;
    }

    public async Task<uint> Wait(string id, string execId = "") =>
        (await Tasks.WaitAsync(id, execId, Options, Cancellation)).ExitStatus;

    /// <summary>The texts of a container's log, without time; STREAM TAG TEXT.</summary>
    public string[] Entries(string id) => File.ReadAllLines(Log(id)).Select(line => line[(line.IndexOf(' ') + 1)..]).ToArray();

    /// <summary>Exec to a FIFO-less sink: a file.</summary>
    public async Task<uint> Exec(string id, string execId, string[] command, string stdout = "", bool terminal = false, (uint Width, uint Height)? size = null)
    {
        await Tasks.ExecAsync(
            new()
            {
                Id = id,
                ExecId = execId,
                Stdout = stdout,
                Stderr = terminal ? "" : stdout,
                Terminal = terminal,
                Spec = new("types.containerd.io/opencontainers/runtime-spec/1/Process", Encoding.UTF8.GetBytes(Process(command, terminal).ToJsonString())),
            }, Options, Cancellation);
        if (size is { } asked)
            await Tasks.ResizePtyAsync(new() { Id = id, ExecId = execId, Width = asked.Width, Height = asked.Height }, Options, Cancellation);
        return await Tasks.StartAsync(id, execId, Options, Cancellation);
    }

    /// <summary>Exec with all three streams, as the daemon does it, to its deletion: what it wrote.</summary>
    public async Task<string> ExecStreamed(string id, string execId, string[] command)
    {
        await AddStreamedExec(id, execId, command);
        using var stdin = await OpenStream(id, execId, StreamKind.Stdin);
        using var stdout = await OpenStream(id, execId, StreamKind.Stdout);
        using var stderr = await OpenStream(id, execId, StreamKind.Stderr);
        await Tasks.StartAsync(id, execId, Options, Cancellation);
        using var reader = new StreamReader(new NetworkStream(stdout));
        var output = await reader.ReadToEndAsync(Cancellation);
        Assert.Equal(0u, await Wait(id, execId));
        await Tasks.DeleteAsync(id, execId, Options, Cancellation);
        return output;
    }

    /// <summary>An exec whose three streams are to be connected to.</summary>
    public Task AddStreamedExec(string id, string execId, string[] command) => Tasks.ExecAsync(
        new()
        {
            Id = id,
            ExecId = execId,
            Stdin = StreamConnection.Target,
            Stdout = StreamConnection.Target,
            Stderr = StreamConnection.Target,
            Spec = new("types.containerd.io/opencontainers/runtime-spec/1/Process", Encoding.UTF8.GetBytes(Process(command, false).ToJsonString())),
        }, Options, Cancellation);

    public Task<Socket> OpenStream(string id, string execId, StreamKind kind) => StreamConnection.OpenAsync(
        Address, new() { ContainerId = id, ExecId = execId, Kind = kind }, Namespace, Options.Timeout!.Value, Cancellation);

    public async Task<byte[]> RunShim(string id, byte[] input, string command, params string[] flags)
    {
        var shim = Path.Combine(HiddenHierarchy.ShimDirectory(_runtime, _directory["bin"]), ShimBinaries.Native);
        var start = new ProcessStartInfo(shim)
        {
            WorkingDirectory = Bundle(id),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])["-namespace", Namespace, "-id", id, "-address", _directory["grpc"], "-publish-binary", "/bin/true", .. flags, command])
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in _environment)
            start.Environment[key] = value;
        using var process = System.Diagnostics.Process.Start(start)!;
        await process.StandardInput.BaseStream.WriteAsync(input, Cancellation);
        process.StandardInput.Close();
        var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output, Cancellation);
        var errors = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, $"{command} failed: {errors}");
        return output.ToArray();
    }

    /// <summary>Forwarded events, from here on, until the test ends.</summary>
    public EventTap ListenForEvents() => new(EventsPath);

    public static async Task Until(Func<bool> condition, string what)
    {
        for (var limit = Stopwatch.StartNew(); !condition(); await Task.Delay(10, Cancellation))
            Assert.True(limit.Elapsed < TimeSpan.FromSeconds(30), $"30 s passed, but not: {what}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
            await _client.DisposeAsync();
        if (ShimPid > 0 && Directory.Exists($"/proc/{ShimPid}"))
        {
            ProcessControl.TrySignal(ShimPid, 9);
            await Until(() => !Directory.Exists($"/proc/{ShimPid}") || IsZombie(ShimPid), "the shim is gone");
        }
        foreach (var id in _containers)
            await RunShim(id, [], "delete", "-bundle", Bundle(id));
        Mounter.UnmountTree(_directory.Path, lazy: true);
        _directory.Dispose();
    }

    private static bool IsZombie(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    private JsonObject Spec(string id, string[] command) => new()
    {
        ["ociVersion"] = "1.0.2",
        ["process"] = Process(command, terminal: false),
        ["root"] = new JsonObject { ["path"] = "rootfs", ["readonly"] = false },
        ["mounts"] = new JsonArray(
            new JsonObject { ["destination"] = "/proc", ["type"] = "proc", ["source"] = "proc" },
            new JsonObject
            {
                ["destination"] = "/dev",
                ["type"] = "tmpfs",
                ["source"] = "tmpfs",
                ["options"] = new JsonArray("nosuid", "mode=755"),
            },
            new JsonObject
            {
                ["destination"] = "/dev/pts",
                ["type"] = "devpts",
                ["source"] = "devpts",
                ["options"] = new JsonArray("newinstance", "ptmxmode=0666", "mode=0620"),
            }),
        ["linux"] = new JsonObject
        {
            ["cgroupsPath"] = $"/actord-shim-test/{id}",
            ["namespaces"] = new JsonArray(
                new JsonObject { ["type"] = "pid" }, new JsonObject { ["type"] = "mount" }, new JsonObject { ["type"] = "ipc" }),
            ["resources"] = new JsonObject(),
        },
        ["annotations"] = new JsonObject { ["io.kubernetes.cri.sandbox-id"] = _id },
    };

    private static JsonObject Process(string[] command, bool terminal) => new()
    {
        ["terminal"] = terminal,
        ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
        ["args"] = new JsonArray([.. command.Select(word => JsonValue.Create(word))]),
        ["env"] = new JsonArray("PATH=/bin"),
        ["cwd"] = "/",
    };
}

/// <summary>The daemon's side of event forwarding.</summary>
internal sealed class EventTap : IAsyncDisposable
{
    private readonly TtrpcListener _listener;
    private readonly List<string> _topics = [];

    public EventTap(string path)
    {
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        _listener = new(socket, new EventsService((envelope, _) =>
        {
            lock (_topics)
                _topics.Add(envelope.Topic);
            return Task.CompletedTask;
        }));
    }

    public string[] Topics
    {
        get
        {
            lock (_topics)
                return [.. _topics];
        }
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();
}
