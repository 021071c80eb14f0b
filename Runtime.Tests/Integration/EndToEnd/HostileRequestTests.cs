using Google.Protobuf;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Integration.EndToEnd;

/// <summary>Any values in the configurations of pods and containers, on the real daemon: served or refused, and nothing stays.</summary>
[Collection(KernelCollection.Name)]
public sealed class HostileRequestTests
{
    private static readonly StatusCode[] Refusals =
    [
        StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.FailedPrecondition, StatusCode.AlreadyExists, StatusCode.Unimplemented,
    ];

    [Fact]
    public async Task A_container_of_any_configuration_is_created_or_refused()
    {
        await using var daemon = await DaemonFixture.StartAsync();
        using var host = new TempDirectory();
        await File.WriteAllTextAsync(host["file"], "no directory", TestContext.Current.CancellationToken);
        string[] places = [host["new/one"], host.Path, host["file"], host["file/below"], "/proc/nowhere", "/dev/null", "/dev", "/proc/self"];
        var privileged = daemon.Pod("privileged");
        privileged.Linux.SecurityContext.Privileged = true;
        string[] pods = [await daemon.RunPodAsync(daemon.Pod("plain")), await daemon.RunPodAsync(privileged)];

        await RepeatAsync(async (random, round) =>
        {
            var request = new CreateContainerRequest { PodSandboxId = pods[random.Next(pods.Length)], Config = daemon.Shell($"c{round}", "true") };
            request.Config.MergeFrom(Filled<ContainerConfig>(random, name => name switch
            {
                // The host is not the test's: what is made there is made in its own directory.
                "host_path" => places[random.Next(places.Length)],
                "container_path" when random.Next(2) == 0 => "/fuzz",
                "image" when random.Next(4) != 0 => DaemonFixture.Image,
                "name" when random.Next(2) == 0 => $"c{round}",
                "localhost_ref" => random.Next(2) == 0 ? host["file"] : "/dev/zero",
                _ => null,
            }).ToByteArray());
            var created = await daemon.Runtime.CreateContainerAsync(request, deadline: DateTime.UtcNow.AddSeconds(30));
            await daemon.Runtime.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = created.ContainerId });
        });

        Assert.Empty((await daemon.Runtime.ListContainersAsync(new ListContainersRequest())).Containers);
    }

    [Fact]
    public async Task A_pod_of_any_configuration_runs_or_is_refused()
    {
        await using var daemon = await DaemonFixture.StartAsync(withImage: false);

        await RepeatAsync(async (random, round) =>
        {
            var pod = daemon.Pod($"p{round}");
            pod.MergeFrom(Filled<PodSandboxConfig>(random, name => name switch
            {
                "cgroup_parent" when random.Next(4) != 0 => daemon.CgroupParent,
                "cgroup_parent" => "relative",
                "name" or "uid" when random.Next(4) != 0 => $"p{round}",
                "hostname" or "host_ip" when random.Next(2) == 0 => "",
                "log_directory" => "/fuzz",
                "key" when random.Next(2) == 0 => "net.core.somaxconn",
                _ => null,
            }).ToByteArray());
            if (pod.Linux.CgroupParent.Length == 0) pod.Linux.CgroupParent = daemon.CgroupParent;
            var run = await daemon.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = pod }, deadline: DateTime.UtcNow.AddSeconds(30));
            await daemon.StopAndRemoveAsync(run.PodSandboxId);
        });

        Assert.Empty((await daemon.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest())).Items);
    }

    private static T Filled<T>(Random random, Func<string, string?> text)
        where T : IMessage, new()
    {
        var message = new T();
        Fuzz.Fill(message, random, text, percent: random.Next(5, 30));
        return message;
    }

    private static async Task RepeatAsync(Func<Random, int, Task> request)
    {
        var end = DateTime.UtcNow.AddSeconds(Fuzz.Seconds);
        var seed = Random.Shared.Next();
        for (var round = 0; DateTime.UtcNow < end; round++)
        {
            try
            {
                await request(new Random(seed + round), round);
            }
            catch (RpcException refused)
            {
                Assert.True(Refusals.Contains(refused.StatusCode), $"seed {seed + round}: {refused.Status}");
            }
        }
    }
}
