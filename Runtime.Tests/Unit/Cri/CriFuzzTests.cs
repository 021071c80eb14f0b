using CsCheck;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Runtime.Actors.Containers;
using Runtime.Actors.Entities;
using Runtime.Actors.Sandboxes;
using Runtime.Cri.V1;
using Runtime.Faults;
using Runtime.Oci.RuntimeSpec;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Sandboxes;
using Xunit;

namespace Runtime.Tests.Unit.Cri;

/// <summary>
/// Every call of CRI with any values in any of its fields: it is served, or refused as what it is. What the edge lets through
/// goes on to the rules of sandboxes and to the spec builder.
/// </summary>
public sealed class CriFuzzTests : IAsyncLifetime
{
    /// <summary>What a request can be answered with. Unknown and Internal would be a defect; a deadline, a lost reply.</summary>
    private static readonly StatusCode[] Answers =
    [
        StatusCode.OK, StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.FailedPrecondition, StatusCode.AlreadyExists,
        StatusCode.Unimplemented, StatusCode.OutOfRange, StatusCode.ResourceExhausted,
    ];

    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;

    private RawCalls Calls => new(_server.Channel);

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcServer.StartAsync(_script.Domain);
        _script.Add(ScriptedDomain.Sandbox());
        _script.Add(ScriptedDomain.Container());
        var otherwise = _script.Answer;
        _script.Answer = command => command switch
        {
            RunSandbox run => (object?)Refused(run) ?? otherwise(run),
            CreateContainer create => Refused(create) ?? otherwise(create),
            _ => otherwise(command),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Fact]
    public Task Every_call_answers_every_request_with_what_is_wrong_with_it() =>
        Gen.Select(Gen.Int[0, RawCalls.Methods.Length - 1].Select(index => RawCalls.Methods[index]), Gen.Int).SampleAsync(
            async (method, seed) =>
            {
                var (status, detail) = await Calls.CallAsync(method, Request(method, seed));
                Assert.True(Answers.Contains(status), $"{method.Name} was answered with {status}: {detail}");
            },
            time: Fuzz.Seconds, threads: 2);

    [Fact]
    public async Task Bytes_that_are_no_message_are_refused_and_the_server_goes_on()
    {
        await Gen.Select(Gen.Int[0, RawCalls.Methods.Length - 1].Select(index => RawCalls.Methods[index]), Gen.Int).SampleAsync(
            async (method, seed) =>
            {
                var damaged = Fuzz.Damage(Request(method, seed).ToByteArray(), new Random(seed));
                var (status, detail) = await Calls.CallAsync(method, damaged);
                // What cannot be parsed never becomes a request; gRPC has its own words for that.
                Assert.True(Answers.Contains(status) || IsUnparsable(method, damaged), $"{method.Name} was answered with {status}: {detail}");
            },
            time: Fuzz.Seconds, threads: 2);

        await new RuntimeService.RuntimeServiceClient(_server.Channel).VersionAsync(new VersionRequest(), cancellationToken: TestContext.Current.CancellationToken);
    }

    private static IMessage Request(MethodDescriptor method, int seed)
    {
        var random = new Random(seed);
        var message = (IMessage)Activator.CreateInstance(method.InputType.ClrType)!;
        // Half of the ids are right, or all would end there.
        Fuzz.Fill(message, random, name => random.Next(2) == 0 ? null : name switch
        {
            "pod_sandbox_id" => new string('a', 64),
            "container_id" or "target_id" => new string('c', 64),
            "name" or "uid" or "namespace" or "image" or "user_specified_image" => "busybox",
            "host_path" or "container_path" or "log_directory" or "cgroup_parent" => "/fuzz",
            "hostname" or "log_path" or "key" or "host_ip" => "",
            "runtime_handler" => "crun",
            _ => null,
        }, percent: random.Next(5, 80));
        return message;
    }

    private static bool IsUnparsable(MethodDescriptor method, byte[] bytes)
    {
        try
        {
            method.InputType.Parser.ParseFrom(bytes);
            return false;
        }
        catch (InvalidProtocolBufferException)
        {
            return true;
        }
    }

    private static Rejected? Refused(RunSandbox run) =>
        SandboxRules.Check(run.EntityId, run.Config, SandboxSamples.Options) is { } fault ? new Rejected(fault) : null;

    private static Rejected? Refused(CreateContainer create)
    {
        var plain = SpecRequests.Plain;
        try
        {
            var spec = ContainerSpecBuilder.Build(plain with
            {
                Config = create.Config,
                Facts = plain.Facts with
                {
                    Mounts = [.. create.Config.Mounts.Select(mount => new MountSource(mount.HostPath, "/", SourcePropagation.Shared))],
                    TargetPid = 4711,
                },
            });
            OciSpecJson.Read(OciSpecJson.Write(spec), "fuzz");
            return null;
        }
        catch (FaultException refused)
        {
            return new Rejected(refused.Fault);
        }
    }
}
