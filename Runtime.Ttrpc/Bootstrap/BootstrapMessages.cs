using System.Collections.Immutable;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Bootstrap;

/// <summary>containerd.runtime.bootstrap.v1.BootstrapParams: on the standard input of <c>start</c> since containerd 2.3.</summary>
public sealed record BootstrapParams : IWireMessage<BootstrapParams>
{
    public string InstanceId { get; init; } = "";

    public string Namespace { get; init; } = "";

    public int LogLevel { get; init; }

    public string ContainerdVersion { get; init; } = "";

    public string ContainerdTtrpcAddress { get; init; } = "";

    public string ContainerdGrpcAddress { get; init; } = "";

    public string ContainerdBinary { get; init; } = "";

    /// <summary>The runtime's options among them.</summary>
    public ImmutableArray<WireAny> Extensions { get; init; } = [];

    public string SocketDir { get; init; } = "";

    public static BootstrapParams Read(WireReader reader)
    {
        var instanceId = "";
        var @namespace = "";
        var logLevel = 0;
        var containerdVersion = "";
        var containerdTtrpcAddress = "";
        var containerdGrpcAddress = "";
        var containerdBinary = "";
        var extensions = ImmutableArray.CreateBuilder<WireAny>();
        var socketDir = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: instanceId = reader.String(); break;
                case 2: @namespace = reader.String(); break;
                case 3: logLevel = reader.Int32(); break;
                case 4: containerdVersion = reader.String(); break;
                case 5: containerdTtrpcAddress = reader.String(); break;
                case 6: containerdGrpcAddress = reader.String(); break;
                case 7: containerdBinary = reader.String(); break;
                case 8: extensions.Add(Extension(reader.Nested())); break;
                case 9: socketDir = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            InstanceId = instanceId,
            Namespace = @namespace,
            LogLevel = logLevel,
            ContainerdVersion = containerdVersion,
            ContainerdTtrpcAddress = containerdTtrpcAddress,
            ContainerdGrpcAddress = containerdGrpcAddress,
            ContainerdBinary = containerdBinary,
            Extensions = extensions.DrainToImmutable(),
            SocketDir = socketDir,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.String(1, InstanceId);
        writer.String(2, Namespace);
        writer.Int64(3, LogLevel);
        writer.String(4, ContainerdVersion);
        writer.String(5, ContainerdTtrpcAddress);
        writer.String(6, ContainerdGrpcAddress);
        writer.String(7, ContainerdBinary);
        foreach (var extension in Extensions)
        {
            var start = writer.Begin(8);
            writer.Message(1, extension);
            writer.End(start);
        }
        writer.String(9, SocketDir);
    }

    private static WireAny Extension(WireReader reader)
    {
        var value = new WireAny("", default);
        while (reader.Next(out var field))
        {
            if (field == 1)
                value = reader.Message<WireAny>();
            else
                reader.Skip();
        }
        return value;
    }
}

/// <summary>containerd.runtime.bootstrap.v1.BootstrapResult.</summary>
public sealed record BootstrapResult : IWireMessage<BootstrapResult>
{
    public int Version { get; init; }

    public string Address { get; init; } = "";

    public string Protocol { get; init; } = "";

    public ImmutableSortedDictionary<string, string> Metadata { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public static BootstrapResult Read(WireReader reader)
    {
        var version = 0;
        var address = "";
        var protocol = "";
        var metadata = WireMap.Builder();
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: version = reader.Int32(); break;
                case 2: address = reader.String(); break;
                case 3: protocol = reader.String(); break;
                case 5: metadata.Entry(ref reader); break;
                default: reader.Skip(); break;
            }
        }
        return new() { Version = version, Address = address, Protocol = protocol, Metadata = metadata.ToImmutable() };
    }

    public void Write(WireWriter writer)
    {
        writer.Int64(1, Version);
        writer.String(2, Address);
        writer.String(3, Protocol);
        writer.Map(5, Metadata);
    }
}
