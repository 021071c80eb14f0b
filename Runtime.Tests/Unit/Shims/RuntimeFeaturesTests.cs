using System.Collections.Immutable;
using Runtime.Actors.Shims;
using Runtime.Linux;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Shims;

public sealed class RuntimeFeaturesTests : IDisposable
{
    private const string All = """{"mountOptions":["ro","rro"],"linux":{"mountExtensions":{"idmap":{"enabled":true}}}}""";

    private static readonly KernelFeatures Kernel = new("6.8.0", new Version(6, 8), HasMountSetattr: true, HasOverlay: true, HasUserNamespaces: true);

    private readonly TempDirectory _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData(All, true, true)]
    [InlineData("""{"mountOptions":["ro"],"linux":{"mountExtensions":{"idmap":{"enabled":false}}}}""", false, false)]
    [InlineData("""{"mountOptions":"rro","linux":[]}""", false, false)]
    [InlineData("[]", false, false)]
    [InlineData("unknown command features", false, false)]
    public void A_runtime_can_do_what_it_names(string output, bool readOnly, bool users) =>
        Assert.Equal(new HandlerFeatures(readOnly, users), RuntimeFeatures.Read(output, Kernel));

    [Fact]
    public void An_old_kernel_can_do_neither()
    {
        Assert.Equal(new HandlerFeatures(true, false), RuntimeFeatures.Read(All, Kernel with { Version = new Version(5, 15) }));
        Assert.Equal(new HandlerFeatures(true, false), RuntimeFeatures.Read(All, Kernel with { HasUserNamespaces = false }));
        Assert.Equal(HandlerFeatures.None, RuntimeFeatures.Read(All, Kernel with { HasMountSetattr = false }));
    }

    [Fact]
    public async Task Runtimes_are_asked_once_and_again_when_they_are_replaced()
    {
        Script("good", $"echo '{All}'");
        Script("bad", "exit 1");
        var features = new RuntimeFeatures(Handlers("good", "bad", "missing"), Kernel, TimeSpan.FromSeconds(20));
        await features.ProbeAsync(TestContext.Current.CancellationToken);
        Assert.Equal(new HandlerFeatures(true, true), features.FeaturesOf("good"));
        Assert.All(["bad", "missing", "unknown"], handler => Assert.Equal(HandlerFeatures.None, features.FeaturesOf(handler)));

        Script("bad", $"echo '{All}'");
        File.SetLastWriteTimeUtc(_place["bad"], DateTime.UnixEpoch);
        await Eventually.True(() => features.FeaturesOf("bad").UserNamespaces, TimeSpan.FromSeconds(20), () => "the new one was not asked");
    }

    [Fact]
    public async Task One_that_does_not_answer_is_killed()
    {
        Script("slow", "exec sleep 1000");
        var features = new RuntimeFeatures(Handlers("slow"), Kernel, TimeSpan.FromMilliseconds(100));
        await features.ProbeAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(HandlerFeatures.None, features.FeaturesOf("slow"));
    }

    [Theory]
    [InlineData("io.containerd.runc.v2", true)]
    [InlineData("io.containerd.kata.v2", false)]
    public async Task A_shim_that_is_named_by_its_path_runs_what_its_type_says(string type, bool asked)
    {
        Script("good", $"echo '{All}'");
        var handler = Handlers("good").ByName["good"] with { RuntimeType = type, RuntimePath = "/usr/local/bin/a-shim" };
        var handlers = new RuntimeHandlers("good", ImmutableSortedDictionary<string, RuntimeHandler>.Empty.Add("good", handler));
        var features = new RuntimeFeatures(handlers, Kernel, TimeSpan.FromSeconds(20));
        await features.ProbeAsync(TestContext.Current.CancellationToken);

        Assert.Equal(asked, features.FeaturesOf("good").UserNamespaces);
    }

    private RuntimeHandlers Handlers(params string[] names) => new(names[0], names.ToImmutableSortedDictionary(
        name => name, name => new RuntimeHandler { Name = name, Options = new RuncOptions { BinaryName = _place[name] } }));

    private void Script(string name, string body)
    {
        File.WriteAllText(_place[name], $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(_place[name], (UnixFileMode)0b111_101_101);
    }
}
