using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Runtime.Actors;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Images;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Network;
using Runtime.Actors.Pulls;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Statistics;
using Runtime.Faults;

namespace Runtime.Tests.Unit.Cri;

/// <summary>A domain whose one actor answers commands as the test says: what the gRPC floors see, without the slices.</summary>
public sealed class ScriptedDomain : IAsyncDisposable
{
    private readonly ActorSystem _system;

    public ScriptedDomain()
    {
        _system = ActorSystem.Create("scripted", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");
        var actor = _system.ActorOf(Props.Create(() => new Answering(this)));
        Domain = new RuntimeDomain(actor, actor, new(), new(), new(), new(), new(), Images, Archives, Network, PodCidrs, Statistics, EntityChanges.Of(_system));
    }

    public RuntimeDomain Domain { get; }

    public FakeCatalog Images { get; } = new();

    public FakeArchives Archives { get; } = new();

    public FakeNetwork Network { get; } = new();

    public FakePodCidrs PodCidrs { get; } = new();

    public FakeStatistics Statistics { get; } = new();

    /// <summary>Every command that came, in order.</summary>
    public ConcurrentQueue<object> Commands { get; } = new();

    /// <summary>The reply to a command; null for silence.</summary>
    public Func<object, object?> Answer { get; set; } = command => command switch
    {
        RunSandbox run => new SandboxStarted(run.EntityId),
        StopSandbox stop => new SandboxStopped(stop.EntityId),
        UpdateSandbox update => new SandboxUpdated(update.EntityId),
        RemoveSandbox remove => new SandboxRemoved(remove.EntityId),
        CreateContainer create => new ContainerCreated(create.EntityId),
        StartContainer start => new ContainerStarted(start.EntityId),
        StopContainer stop => new ContainerStopped(stop.EntityId),
        RemoveContainer remove => new ContainerRemoved(remove.EntityId),
        ReopenLog reopen => new LogReopened(reopen.EntityId),
        ExecSync => new ExecSyncResult(0, "out"u8.ToArray(), "err"u8.ToArray()),
        PullImage pull => new ImagePulled(pull.EntityId, "sha256:" + new string('1', 64), "sha256:" + new string('2', 64)),
        _ => new Rejected(FaultKind.Unimplemented, "test.unscripted", command.GetType().Name),
    };

    public SandboxView Add(SandboxView view)
    {
        Domain.Sandboxes.Set(NamespaceName.Kubernetes, view.Id, view);
        return view;
    }

    public ContainerView Add(ContainerView view)
    {
        Domain.Containers.Set(NamespaceName.Kubernetes, view.Id, view);
        return view;
    }

    public static SandboxView Sandbox(char fill = 'a', SandboxPhase phase = SandboxPhase.Ready) => new()
    {
        Id = new string(fill, 64),
        Config = new SandboxConfig { Name = "pod", Uid = "uid-1", PodNamespace = "default" },
        Phase = phase,
        CreatedAt = DateTimeOffset.UnixEpoch.AddSeconds(1),
    };

    public static ContainerView Container(char fill = 'c', ContainerPhase phase = ContainerPhase.Running) => new()
    {
        Id = new string(fill, 64),
        SandboxId = new string('a', 64),
        Config = new ContainerConfig { Name = "main", Image = "sha256:" + new string('1', 64) },
        Phase = phase,
        CreatedAt = DateTimeOffset.UnixEpoch.AddSeconds(2),
        StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(3),
        FinishedAt = DateTimeOffset.UnixEpoch.AddSeconds(4),
        ImageId = "sha256:" + new string('1', 64),
        ImageRef = "docker.io/library/busybox@sha256:" + new string('2', 64),
    };

    public async ValueTask DisposeAsync() => await _system.Terminate();

    private sealed class Answering(ScriptedDomain script) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            script.Commands.Enqueue(message);
            if (script.Answer(message) is { } reply) Sender.Tell(reply);
        }
    }

    public sealed class FakeCatalog : IImageCatalog
    {
        public List<ImageSummary> Images { get; } = [];

        public List<string> Removed { get; } = [];

        public ImmutableArray<ImageSummary> List(NamespaceName space) => [.. Images];

        public ImageSummary? Find(NamespaceName space, string reference) =>
            Images.FirstOrDefault(image => image.Id == reference || image.RepoTags.Contains(reference));

        public byte[]? ReadConfig(string imageId) => """{"architecture":"amd64","config":{"Cmd":["sh"]}}"""u8.ToArray();

        public Task RemoveAsync(NamespaceName space, string reference, CancellationToken cancellation)
        {
            Removed.Add(reference);
            return Task.CompletedTask;
        }

        public Task<ImageFileSystem> UsageAsync(CancellationToken cancellation) =>
            Task.FromResult(new ImageFileSystem("/var/lib/actord", 4096, 7, DateTimeOffset.UnixEpoch.AddSeconds(5)));
    }

    public sealed class FakeArchives : IImageArchives
    {
        public byte[] Archive { get; set; } = [];

        public async Task<ImmutableArray<ImageView>> ImportAsync(
            NamespaceName space, Stream archive, string? nameOverride, CancellationToken cancellation)
        {
            using var copy = new MemoryStream();
            await archive.CopyToAsync(copy, cancellation);
            Archive = copy.ToArray();
            return [new(nameOverride ?? "imported", new ImageTarget("m", "sha256:0", 1), ImmutableSortedDictionary<string, string>.Empty, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch)];
        }

        public async Task ExportAsync(
            NamespaceName space, ImmutableArray<string> names, Stream archive, CancellationToken cancellation) =>
            await archive.WriteAsync(Archive, cancellation);
    }

    public sealed class FakeStatistics : IStatistics
    {
        public Dictionary<string, ContainerUsage> Containers { get; } = [];

        public Dictionary<string, PodUsage> Pods { get; } = [];

        public ContainerUsage? Find(NamespaceName space, ContainerView container) => Containers.GetValueOrDefault(container.Id);

        public PodUsage? Find(NamespaceName space, SandboxView sandbox) => Pods.GetValueOrDefault(sandbox.Id);
    }

    public sealed class FakePodCidrs : IPodCidrs
    {
        public List<string> Applied { get; } = [];

        public void Apply(string ranges) => Applied.Add(ranges);
    }

    public sealed class FakeNetwork : INetworkStatus
    {
        public bool Ready { get; set; } = true;

        public string Message { get; set; } = "";

        public string ConfigJson { get; set; } = "";
    }
}
