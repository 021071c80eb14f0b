using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Runtime.Cri.V1;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Cri;

/// <summary>Each call with nothing, with ids that are paths, with numbers that no enum has and with fields of a megabyte.</summary>
public sealed class CriHostileTests : IAsyncLifetime
{
    /// <summary>
    /// Another system's part, and the sandbox's config again, which is the one that it was run with. A filter that matches
    /// nothing is no mistake.
    /// </summary>
    private static readonly string[] Unread = ["windows", "sandbox_config", "filter"];

    private static readonly StatusCode[] Refusals = [StatusCode.InvalidArgument, StatusCode.NotFound];

    private readonly ScriptedDomain _script = new();
    private GrpcServer _server = null!;

    public static TheoryData<string> Calls => [.. RawCalls.Methods.Select(method => method.Name)];

    public static TheoryData<string, string> Ids
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var method in RawCalls.Methods)
                foreach (var id in method.InputType.Fields.InDeclarationOrder().Where(IsId)) data.Add(method.Name, id.Name);
            return data;
        }
    }

    private RawCalls Raw => new(_server.Channel);

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcServer.StartAsync(_script.Domain);
        _script.Add(ScriptedDomain.Sandbox());
        _script.Add(ScriptedDomain.Container());
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _script.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_request_with_nothing_in_it_is_served_or_told_what_is_missing(string call)
    {
        var (status, detail) = await Raw.CallAsync(Method(call), []);

        Assert.True(status == StatusCode.OK || status == StatusCode.InvalidArgument, $"{status}: {detail}");
        Assert.Empty(_script.Commands);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task An_id_that_is_a_path_or_no_text_is_refused_and_goes_no_further(string call, string field)
    {
        string[] hostile =
        [
            "", "..", "../../etc", "a/b", "/", "a\0b", "a\nb", "-/-", "%2e%2e", "\u202e", new('a', 257), new('a', 1 << 20), new('/', 1 << 20),
        ];
        var method = Method(call);
        foreach (var id in hostile)
        {
            var request = Complete(method);
            request.Descriptor.FindFieldByName(field).Accessor.SetValue(request, id);

            var (status, detail) = await Raw.CallAsync(method, request);

            // Two dots can be no id of ours, but are no path either: they are looked for, and not found.
            var isGone = id == ".." && status is StatusCode.NotFound or StatusCode.OK;
            Assert.True(status == StatusCode.InvalidArgument || isGone, $"{call} of \"{id[..Math.Min(20, id.Length)]}\" was {status}: {detail}");
            Assert.True(detail.Length < 5000, $"the answer has {detail.Length} characters");
            Assert.DoesNotContain(_script.Commands, command => $"{command}".Contains("etc", StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_number_that_an_enum_does_not_have_is_refused(string call)
    {
        var method = Method(call);
        foreach (var place in Places(method.InputType, FieldType.Enum))
        {
            if (place.Any(one => Unread.Contains(one.Name))) continue;
            var request = Complete(method);
            var (holder, field) = Reach(request, place);
            field.Accessor.SetValue(holder, Enum.ToObject(field.EnumType.ClrType, 1234));

            var (status, detail) = await Raw.CallAsync(method, request);

            Assert.True(status == StatusCode.InvalidArgument, $"{string.Join('.', place.Select(one => one.Name))} was {status}: {detail}");
        }
        Assert.Empty(_script.Commands);
    }

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task A_field_of_a_megabyte_is_served_or_refused(string call)
    {
        var method = Method(call);
        foreach (var place in Places(method.InputType, FieldType.String))
        {
            foreach (var text in new[] { new string('x', 1 << 20), "/" + new string('.', 1 << 20), new string('\n', 1 << 20) })
            {
                var request = Complete(method);
                var (holder, field) = Reach(request, place);
                field.Accessor.SetValue(holder, text);

                var (status, detail) = await Raw.CallAsync(method, request);

                // What the domain would say is not asked for here: it answers everything that it knows.
                Assert.True(status is StatusCode.OK or StatusCode.Unimplemented || Refusals.Contains(status),
                    $"{string.Join('.', place.Select(one => one.Name))} was {status}: {detail}");
            }
        }
    }

    private static MethodDescriptor Method(string call) => RawCalls.Methods.Single(method => method.Name == call);

    private static bool IsId(FieldDescriptor field) =>
        field is { FieldType: FieldType.String, IsRepeated: false, Name: "pod_sandbox_id" or "container_id" };

    /// <summary>A request that would be served.</summary>
    private static IMessage Complete(MethodDescriptor method)
    {
        var request = (IMessage)Activator.CreateInstance(method.InputType.ClrType)!;
        switch (request)
        {
            case RunPodSandboxRequest run:
                run.Config = Requests.Sandbox();
                break;
            case CreateContainerRequest create:
                create.Config = Requests.Container();
                create.SandboxConfig = Requests.Sandbox();
                break;
            case ExecSyncRequest exec:
                exec.Cmd.Add("true");
                break;
            case ExecRequest exec:
                exec.Cmd.Add("true");
                exec.Stdout = true;
                break;
            case CheckpointContainerRequest checkpoint:
                checkpoint.Location = "/tmp/checkpoint.tar";
                break;
            case UpdateContainerResourcesRequest update:
                update.Linux = new LinuxContainerResources();
                break;
        }
        foreach (var field in request.Descriptor.Fields.InDeclarationOrder().Where(IsId))
            field.Accessor.SetValue(request, new string(field.Name == "container_id" ? 'c' : 'a', 64));
        return request;
    }

    /// <summary>Where a message has fields of a type, through messages in messages; lists and maps are left out.</summary>
    private static IEnumerable<FieldDescriptor[]> Places(MessageDescriptor message, FieldType type, int depth = 0)
    {
        foreach (var field in message.Fields.InDeclarationOrder().Where(field => !field.IsRepeated && !field.IsMap))
        {
            if (field.FieldType == type) yield return [field];
            else if (field.FieldType == FieldType.Message && depth < 6)
                foreach (var below in Places(field.MessageType, type, depth + 1)) yield return [field, .. below];
        }
    }

    private static (IMessage Holder, FieldDescriptor Field) Reach(IMessage message, FieldDescriptor[] place)
    {
        foreach (var field in place[..^1])
        {
            if (field.Accessor.GetValue(message) is not IMessage inner)
            {
                inner = (IMessage)Activator.CreateInstance(field.MessageType.ClrType)!;
                field.Accessor.SetValue(message, inner);
            }
            message = inner;
        }
        return (message, place[^1]);
    }
}
