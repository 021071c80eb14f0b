using System.Collections.Immutable;
using System.Text.Json;
using Containerd.Runc.V1;
using Containerd.Services.Containers.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Runtime.Actors;
using Runtime.Actors.Containers;
using Runtime.Actors.Namespaces;
using Runtime.Actors.Sandboxes;
using Runtime.Actors.Shims;
using Runtime.Api.Filters;

namespace Runtime.Api.Services;

/// <summary>
/// The containers of a namespace as containerd's messages: those of containerd's clients as they were stored, and pods' sandboxes
/// and containers with the labels and names that clients of the k8s.io namespace look for (cAdvisor, ctr, nerdctl).
/// </summary>
public sealed class ContainerRecords(RuntimeDomain domain, ApiOptions options)
{
    public const string KindLabel = "io.cri-containerd.kind";

    /// <summary>Bare name, without a host: what Go's typeurl registers for the runtime spec.</summary>
    public const string SpecTypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/Spec";

    private const string RuncOptionsTypeUrl = "containerd.runc.v1.Options";

    /// <summary>Null for an unknown id. Ids here are whole: containerd's clients resolve prefixes themselves.</summary>
    public async Task<Container?> FindAsync(NamespaceName space, string id, CancellationToken cancellation)
    {
        var record = domain.Containers.Find(space, id) is { } container ? Record(container)
            : domain.Sandboxes.Find(space, id) is { } sandbox ? Record(sandbox)
            : domain.Records.Find(space, id) is { } stored ? ContainerMessages.Of(stored)
            : null;
        if (record is { Spec: null }) record.Spec = await SpecAsync(space, record, cancellation);
        return record;
    }

    public async IAsyncEnumerable<Container> ListAsync(
        NamespaceName space, FilterList filters,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var records = domain.Sandboxes.In(space).Values.Select(Record)
            .Concat(domain.Containers.In(space).Values.Select(Record))
            .Concat(domain.Records.In(space).Values.Select(ContainerMessages.Of));
        foreach (var record in records)
        {
            if (!filters.Matches(path => Field(record, path))) continue;
            record.Spec ??= await SpecAsync(space, record, cancellation);
            yield return record;
        }
    }

    /// <summary>Without its spec, which is in a file.</summary>
    public Container Of(ContainerView view) => Record(view);

    /// <summary>Without its spec, which is in a file.</summary>
    public Container Of(SandboxView view) => Record(view);

    private static string? Field(Container record, ReadOnlySpan<string> path) => path[0] switch
    {
        "id" => FieldPaths.Value(record.Id),
        "runtime" when path is [_, "name"] => FieldPaths.Value(record.Runtime.Name),
        "image" => FieldPaths.Value(record.Image),
        "snapshotter" => FieldPaths.Value(record.Snapshotter),
        "labels" => FieldPaths.Label(record.Labels, path),
        _ => null,
    };

    private Container Record(ContainerView view)
    {
        var record = new Container
        {
            Id = view.Id,
            Image = view.Config.UserSpecifiedImage.Length > 0 ? view.Config.UserSpecifiedImage : view.Config.Image,
            Runtime = RuntimeOf(view.RuntimeHandler),
            Snapshotter = view.Snapshotter,
            SnapshotKey = view.SnapshotKey,
            CreatedAt = Timestamp.FromDateTimeOffset(view.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(view.CreatedAt),
            Sandbox = view.SandboxId,
        };
        Label(record, view.Config.Labels, "container");
        return record;
    }

    private Container Record(SandboxView view)
    {
        var record = new Container
        {
            Id = view.Id,
            Image = options.SandboxImage,
            Runtime = RuntimeOf(view.RuntimeHandler),
            CreatedAt = Timestamp.FromDateTimeOffset(view.CreatedAt),
            UpdatedAt = Timestamp.FromDateTimeOffset(view.CreatedAt),
            Sandbox = view.Id,
        };
        Label(record, view.Config.Labels, "sandbox");
        return record;
    }

    private static void Label(Container record, ImmutableSortedDictionary<string, string> labels, string kind)
    {
        foreach (var (key, value) in labels) record.Labels[key] = value;
        record.Labels[KindLabel] = kind;
    }

    // A handler that has left the configuration still ran with some runtime: the default's name is the best answer.
    private Container.Types.Runtime RuntimeOf(string name)
    {
        var key = name.Length > 0 ? name : options.Handlers.DefaultName;
        var handler = options.Handlers.ByName.GetValueOrDefault(key) ?? new RuntimeHandler { Name = key };
        return new()
        {
            Name = handler.RuntimeType,
            Options = new Any { TypeUrl = RuncOptionsTypeUrl, Value = OptionsOf(handler.Options).ToByteString() },
        };
    }

    private static Options OptionsOf(RuncOptions options) => new()
    {
        BinaryName = options.BinaryName,
        Root = options.Root,
        SystemdCgroup = options.SystemdCgroup,
        NoPivotRoot = options.NoPivotRoot,
        NoNewKeyring = options.NoNewKeyring,
        ShimCgroup = options.ShimCgroup,
        IoUid = options.IoUid,
        IoGid = options.IoGid,
    };

    private async Task<Any> SpecAsync(NamespaceName space, Container record, CancellationToken cancellation) => new()
    {
        TypeUrl = SpecTypeUrl,
        Value = ByteString.CopyFrom(
            await BundleSpec.ReadAsync(options.Directories, space, record.Id, cancellation) ?? MinimalSpec(space, record.Id)),
    };

    // What clients dereference without asking whether it is there: process, and the cgroup path of a sandbox.
    private byte[] MinimalSpec(NamespaceName space, string id)
    {
        var sandbox = domain.Sandboxes.Find(space, id);
        var annotations = sandbox?.Config.Annotations ?? domain.Containers.Find(space, id)?.Config.Annotations;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("ociVersion", "1.1.0");
            json.WriteStartObject("process");
            json.WriteStartObject("user");
            json.WriteNumber("uid", 0);
            json.WriteNumber("gid", 0);
            json.WriteEndObject();
            json.WriteStartArray("args");
            json.WriteEndArray();
            json.WriteString("cwd", "/");
            json.WriteEndObject();
            json.WriteStartObject("annotations");
            foreach (var (key, value) in annotations ?? ImmutableSortedDictionary<string, string>.Empty) json.WriteString(key, value);
            json.WriteEndObject();
            json.WriteStartObject("linux");
            if (sandbox is { CgroupPath.Length: > 0 }) json.WriteString("cgroupsPath", sandbox.CgroupPath);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
