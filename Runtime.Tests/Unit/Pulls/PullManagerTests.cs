using System.Collections.Concurrent;
using System.Threading.Channels;
using Akka.Actor;
using Runtime.Actors.Entities;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Pulls;
using Runtime.Faults;
using Runtime.Oci.Images;
using Xunit;

namespace Runtime.Tests.Unit.Pulls;

public sealed class PullManagerTests : IAsyncDisposable
{
    private const string Reference = "docker.io/library/busybox:1";
    private static readonly NamespaceName Space = NamespaceName.Kubernetes;
    private static readonly RegistryAuth Alice = new("alice", "a", "", "", "");

    private readonly ActorSystem _system = ActorSystem.Create("pulls", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");
    private readonly ReadModel<PullView> _views = new();
    private readonly ScriptedPipeline _pipeline = new();
    private readonly IActorRef _pulls;

    public PullManagerTests() => _pulls = _system.ActorOf(PullManager.Props(_pipeline, _views, TimeProvider.System));

    public async ValueTask DisposeAsync() => await _system.Terminate();

    [Fact]
    public async Task The_same_reference_and_credentials_share_one_pull()
    {
        var callers = new[] { PullAsync(null), PullAsync(null), PullAsync(Alice), PullAsync(Alice with { }) };
        await _pipeline.StartedAsync(2);
        _pipeline.Finish();

        Assert.All(await Task.WhenAll(callers), reply => Assert.IsType<ImagePulled>(reply));
        Assert.Equal(2, _pipeline.Runs.Count);
        Assert.Null(_views.Find(Space, Reference));
    }

    [Fact]
    public async Task A_failure_goes_to_all_and_the_next_caller_begins_anew()
    {
        var callers = new[] { PullAsync(null), PullAsync(null) };
        await _pipeline.StartedAsync(1);
        _pipeline.Fail(new RuntimeFault(FaultKind.Unavailable, "registry.unavailable", "no answer"));
        Assert.All(await Task.WhenAll(callers), reply => Assert.Equal("registry.unavailable", Assert.IsType<Rejected>(reply).Fault.Code));

        var next = PullAsync(null);
        await _pipeline.StartedAsync(2);
        _pipeline.Finish();
        Assert.IsType<ImagePulled>(await next);
    }

    [Fact]
    public async Task A_caller_that_comes_while_a_pull_is_being_cancelled_gets_a_new_one()
    {
        using var patience = new CancellationTokenSource();
        var first = PullUntilAsync(null, patience.Token);
        await _pipeline.StartedAsync(1);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _pulls.Tell(new CancelPull(Space, Reference));
        await _pipeline.CancelledAsync();

        var second = PullAsync(null);
        _pipeline.Fail(new RuntimeFault(FaultKind.Cancelled, "operation.cancelled", "cancelled"));
        await _pipeline.StartedAsync(2);
        _pipeline.Finish();

        Assert.IsType<ImagePulled>(await second);
    }

    [Fact]
    public async Task What_is_no_normalised_reference_is_refused()
    {
        foreach (var wrong in (string[])["busybox", "docker.io/UPPER:1", ""])
        {
            var reply = await _pulls.Ask<object>(new PullImage(Space, wrong, null, ""), TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
            Assert.Equal("image.invalid-reference", Assert.IsType<Rejected>(reply).Fault.Code);
        }
        Assert.Empty(_pipeline.Runs);
    }

    private Task<object> PullAsync(RegistryAuth? auth) => PullUntilAsync(auth, CancellationToken.None);

    private Task<object> PullUntilAsync(RegistryAuth? auth, CancellationToken cancellation) =>
        _pulls.Ask<object>(new PullImage(Space, Reference, auth, ""), TimeSpan.FromSeconds(30), cancellation);

    /// <summary>Runs end when the test says so.</summary>
    private sealed class ScriptedPipeline : IPullPipeline
    {
        private readonly Channel<PullImage> _started = Channel.CreateUnbounded<PullImage>();
        private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private ConcurrentBag<TaskCompletionSource<ImagePulled>> _running = [];
        private int _seen;

        public ConcurrentQueue<PullImage> Runs { get; } = [];

        public async Task<ImagePulled> RunAsync(PullImage pull, PullProgress progress, CancellationToken cancellation)
        {
            var run = new TaskCompletionSource<ImagePulled>(TaskCreationOptions.RunContinuationsAsynchronously);
            _running.Add(run);
            Runs.Enqueue(pull);
            progress.Add(Descriptor.Of(MediaTypes.OciLayer, "x"u8), "waiting");
            await using var registration = cancellation.Register(_cancelled.SetResult);
            _started.Writer.TryWrite(pull);
            return await run.Task;
        }

        public async Task StartedAsync(int runs)
        {
            for (; _seen < runs; _seen++)
                await _started.Reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        }

        public Task CancelledAsync() => _cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);

        public void Finish()
        {
            foreach (var run in Interlocked.Exchange(ref _running, [])) run.SetResult(new ImagePulled(Reference, "sha256:1", "sha256:2"));
        }

        public void Fail(RuntimeFault fault)
        {
            foreach (var run in Interlocked.Exchange(ref _running, [])) run.SetException(fault.ToException());
        }
    }
}
