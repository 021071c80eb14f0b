using System.Collections.Immutable;
using Runtime.Linux.Mounts;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Sandboxes;

/// <summary>Of the calls that name a sandbox only.</summary>
public sealed record SandboxRequest : IWireMessage<SandboxRequest>
{
    public string SandboxId { get; init; } = "";

    public static SandboxRequest Read(WireReader reader)
    {
        var sandboxId = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: sandboxId = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { SandboxId = sandboxId };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, SandboxId);
    }
}

/// <summary>Sandbox.CreateSandbox.</summary>
public sealed record CreateSandboxRequest : IWireMessage<CreateSandboxRequest>
{
    public string SandboxId { get; init; } = "";

    public string BundlePath { get; init; } = "";

    public ImmutableArray<MountSpec> Rootfs { get; init; } = [];

    public WireAny? Options { get; init; }

    /// <summary>Empty on the host's network.</summary>
    public string NetnsPath { get; init; } = "";

    /// <summary><see cref="SandboxAnnotations"/> among them.</summary>
    public ImmutableSortedDictionary<string, string> Annotations { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public static CreateSandboxRequest Read(WireReader reader)
    {
        var sandboxId = "";
        var bundlePath = "";
        var rootfs = ImmutableArray.CreateBuilder<MountSpec>();
        WireAny? options = null;
        var netnsPath = "";
        var annotations = WireMap.Builder();
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: sandboxId = reader.String(); break;
                case 2: bundlePath = reader.String(); break;
                case 3: rootfs.Add(reader.Mount()); break;
                case 4: options = reader.Message<WireAny>(); break;
                case 5: netnsPath = reader.String(); break;
                case 6: annotations.Entry(ref reader); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            SandboxId = sandboxId,
            BundlePath = bundlePath,
            Rootfs = rootfs.DrainToImmutable(),
            Options = options,
            NetnsPath = netnsPath,
            Annotations = annotations.ToImmutable(),
        };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, SandboxId);
        writer.String(2, BundlePath);
        writer.Mounts(3, Rootfs);
        writer.Message(4, Options);
        writer.String(5, NetnsPath);
        writer.Map(6, Annotations);
    }
}

/// <summary>Sandbox.StartSandbox.</summary>
public sealed record StartSandboxResponse : IWireMessage<StartSandboxResponse>
{
    public uint Pid { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public WireAny? Spec { get; init; }

    public static StartSandboxResponse Read(WireReader reader)
    {
        uint pid = 0;
        DateTimeOffset? createdAt = null;
        WireAny? spec = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: pid = reader.UInt32(); break;
                case 2: createdAt = reader.Time(); break;
                case 3: spec = reader.Message<WireAny>(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Pid = pid, CreatedAt = createdAt, Spec = spec };
    }

    public void Write(WireWriter writer)
    {
        writer.UInt64(1, Pid);
        writer.Time(2, CreatedAt);
        writer.Message(3, Spec);
    }
}

/// <summary>containerd.types.Platform.</summary>
public sealed record PlatformMessage : IWireMessage<PlatformMessage>
{
    public string Os { get; init; } = "";

    public string Architecture { get; init; } = "";

    public string Variant { get; init; } = "";

    public static PlatformMessage Read(WireReader reader)
    {
        var os = "";
        var architecture = "";
        var variant = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: os = reader.String(); break;
                case 2: architecture = reader.String(); break;
                case 3: variant = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Os = os, Architecture = architecture, Variant = variant };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, Os);
        writer.String(2, Architecture);
        writer.String(3, Variant);
    }
}

/// <summary>Sandbox.Platform.</summary>
public sealed record PlatformResponse : IWireMessage<PlatformResponse>
{
    public PlatformMessage? Platform { get; init; }

    public static PlatformResponse Read(WireReader reader)
    {
        PlatformMessage? platform = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: platform = reader.Message<PlatformMessage>(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Platform = platform };
    }

    public void Write(WireWriter writer)
    {
        writer.Message(1, Platform);
    }
}

/// <summary>Sandbox.StopSandbox.</summary>
public sealed record StopSandboxRequest : IWireMessage<StopSandboxRequest>
{
    public string SandboxId { get; init; } = "";

    public uint TimeoutSecs { get; init; }

    public static StopSandboxRequest Read(WireReader reader)
    {
        var sandboxId = "";
        uint timeoutSecs = 0;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: sandboxId = reader.String(); break;
                case 2: timeoutSecs = reader.UInt32(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { SandboxId = sandboxId, TimeoutSecs = timeoutSecs };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, SandboxId);
        writer.UInt64(2, TimeoutSecs);
    }
}

/// <summary>Sandbox.SandboxStatus.</summary>
public sealed record SandboxStatusRequest : IWireMessage<SandboxStatusRequest>
{
    public string SandboxId { get; init; } = "";

    public bool Verbose { get; init; }

    public static SandboxStatusRequest Read(WireReader reader)
    {
        var sandboxId = "";
        var verbose = false;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: sandboxId = reader.String(); break;
                case 2: verbose = reader.Bool(); break;
                default: reader.Skip(); break;
            }
        }
        return new() { SandboxId = sandboxId, Verbose = verbose };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, SandboxId);
        writer.Bool(2, Verbose);
    }
}

/// <summary>Answer of Sandbox.SandboxStatus.</summary>
public sealed record SandboxStatusResponse : IWireMessage<SandboxStatusResponse>
{
    public string SandboxId { get; init; } = "";

    public uint Pid { get; init; }

    /// <summary>SANDBOX_READY or SANDBOX_NOTREADY.</summary>
    public string State { get; init; } = "";

    public ImmutableSortedDictionary<string, string> Info { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public DateTimeOffset? CreatedAt { get; init; }

    public DateTimeOffset? ExitedAt { get; init; }

    public static SandboxStatusResponse Read(WireReader reader)
    {
        var sandboxId = "";
        uint pid = 0;
        var state = "";
        var info = WireMap.Builder();
        DateTimeOffset? createdAt = null;
        DateTimeOffset? exitedAt = null;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: sandboxId = reader.String(); break;
                case 2: pid = reader.UInt32(); break;
                case 3: state = reader.String(); break;
                case 4: info.Entry(ref reader); break;
                case 5: createdAt = reader.Time(); break;
                case 6: exitedAt = reader.Time(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            SandboxId = sandboxId,
            Pid = pid,
            State = state,
            Info = info.ToImmutable(),
            CreatedAt = createdAt,
            ExitedAt = exitedAt,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, SandboxId);
        writer.UInt64(2, Pid);
        writer.String(3, State);
        writer.Map(4, Info);
        writer.Time(5, CreatedAt);
        writer.Time(6, ExitedAt);
    }
}
