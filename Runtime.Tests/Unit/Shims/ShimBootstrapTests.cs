using System.Text;
using Runtime.Actors.Shims;
using Runtime.Faults;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Wire;
using Xunit;

namespace Runtime.Tests.Unit.Shims;

public sealed class ShimBootstrapTests
{
    [Theory]
    [InlineData("unix:///run/s/1", 2)]
    [InlineData("unix:///run/s/1\n", 2)]
    [InlineData("{\"version\":3,\"address\":\"unix:///run/s/1\",\"protocol\":\"ttrpc\"}", 3)]
    public void The_older_answers_are_understood(string answer, int version) => Assert.Equal(
        new ShimBootstrap(version, "unix:///run/s/1", "ttrpc"), ShimBootstrap.Parse(Encoding.UTF8.GetBytes(answer), "shim"));

    [Fact]
    public void The_newest_answer_is_a_message()
    {
        var message = WireWriter.ToArray(new BootstrapResult { Version = 3, Address = "unix:///run/s/1", Protocol = "ttrpc" });
        Assert.Equal(new ShimBootstrap(3, "unix:///run/s/1", "ttrpc"), ShimBootstrap.Parse(message, "shim"));
    }

    [Theory]
    [InlineData("", "shim.bad-answer")]
    [InlineData("{", "shim.bad-answer")]
    [InlineData("{\"version\":3}", "shim.bad-answer")]
    [InlineData("warning: something", "shim.bad-answer")]
    [InlineData("{\"version\":4,\"address\":\"unix:///x\",\"protocol\":\"ttrpc\"}", "shim.unknown-version")]
    [InlineData("{\"version\":3,\"address\":\"unix:///x\",\"protocol\":\"grpc\"}", "shim.unknown-protocol")]
    public void An_answer_that_cannot_be_used_is_refused_with_the_binarys_name(string answer, string code)
    {
        var fault = Assert.Throws<FaultException>(() => ShimBootstrap.Parse(Encoding.UTF8.GetBytes(answer), "containerd-shim-x-v1")).Fault;
        Assert.Equal(code, fault.Code);
        Assert.Contains("containerd-shim-x-v1", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_written_into_a_bundle_is_found_until_it_is_forgotten()
    {
        using var bundle = new TempDirectory();
        Assert.Null(ShimBootstrap.TryRead(bundle.Path));
        new ShimBootstrap(3, "unix:///run/s/1", "ttrpc").Write(bundle.Path);
        ShimBootstrap.WriteBinary(bundle.Path, "/usr/bin/shim");
        Assert.Equal(3, ShimBootstrap.TryRead(bundle.Path)!.Version);
        Assert.Equal("/usr/bin/shim", ShimBootstrap.BinaryOf(bundle.Path));
        ShimBootstrap.Forget(bundle.Path);
        Assert.Null(ShimBootstrap.TryRead(bundle.Path));
        Assert.Equal("", ShimBootstrap.BinaryOf(bundle.Path));
        ShimBootstrap.Forget(bundle["missing"]);
    }

    [Fact]
    public async Task A_binary_can_be_looked_for_while_it_is_being_forgotten()
    {
        using var bundle = new TempDirectory();
        using var ending = new CancellationTokenSource();
        var looking = Task.Run(() =>
        {
            while (!ending.IsCancellationRequested) Assert.True(ShimBootstrap.BinaryOf(bundle.Path) is "" or "/usr/bin/shim");
        });
        for (var i = 0; i < 2000 && !looking.IsCompleted; i++)
        {
            ShimBootstrap.WriteBinary(bundle.Path, "/usr/bin/shim");
            ShimBootstrap.Forget(bundle.Path);
        }
        await ending.CancelAsync();
        await looking;
    }

    [Theory]
    [InlineData("io.containerd.runc.v2", "containerd-shim-actor-v1")]
    [InlineData("io.containerd.actor.v1", "containerd-shim-actor-v1")]
    [InlineData("io.containerd.runsc.v1", "containerd-shim-runsc-v1")]
    public void A_runtime_type_names_a_binary_beside_the_daemon(string type, string name)
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory[name], "");
        Assert.Equal(directory[name], new ShimBinaries(directory.Path).Resolve(type));
        Assert.Equal(directory[name], new ShimBinaries("/nowhere").Resolve(directory[name]));
    }

    [Theory]
    [InlineData("io.containerd.nothing.v9", "shim.no-binary")]
    [InlineData("nonsense", "shim.bad-type")]
    [InlineData("../../bin.sh", "shim.bad-type")]
    [InlineData("/no/such/shim", "shim.no-binary")]
    public void A_type_without_a_binary_is_refused(string type, string code) =>
        Assert.Equal(code, Assert.Throws<FaultException>(() => new ShimBinaries("/nowhere").Resolve(type)).Fault.Code);
}
