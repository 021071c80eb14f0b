using System.Collections.Immutable;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Bootstrap;

/// <summary><c>containerd.runc.v1.CheckpointOptions</c>: how CRIU is to dump a container.</summary>
public sealed record CheckpointOptionsMessage : IWireMessage<CheckpointOptionsMessage>
{
    public const string TypeName = "containerd.runc.v1.CheckpointOptions";

    /// <summary>The container ends with its checkpoint; else it goes on.</summary>
    public bool Exit { get; init; }

    public bool OpenTcp { get; init; }

    public bool ExternalUnixSockets { get; init; }

    public bool Terminal { get; init; }

    public bool FileLocks { get; init; }

    public ImmutableArray<string> EmptyNamespaces { get; init; } = [];

    /// <summary><c>soft</c>, <c>full</c>, <c>strict</c> or <c>ignore</c>; empty for the runtime's default.</summary>
    public string CgroupsMode { get; init; } = "";

    public string ImagePath { get; init; } = "";

    /// <summary>Where CRIU puts its log and statistics; empty: with the images.</summary>
    public string WorkPath { get; init; } = "";

    public static CheckpointOptionsMessage Read(WireReader reader)
    {
        var (exit, openTcp, externalUnixSockets, terminal, fileLocks) = (false, false, false, false, false);
        var (cgroupsMode, imagePath, workPath) = ("", "", "");
        var emptyNamespaces = ImmutableArray.CreateBuilder<string>();
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: exit = reader.Bool(); break;
                case 2: openTcp = reader.Bool(); break;
                case 3: externalUnixSockets = reader.Bool(); break;
                case 4: terminal = reader.Bool(); break;
                case 5: fileLocks = reader.Bool(); break;
                case 6: emptyNamespaces.Add(reader.String()); break;
                case 7: cgroupsMode = reader.String(); break;
                case 8: imagePath = reader.String(); break;
                case 9: workPath = reader.String(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            Exit = exit,
            OpenTcp = openTcp,
            ExternalUnixSockets = externalUnixSockets,
            Terminal = terminal,
            FileLocks = fileLocks,
            EmptyNamespaces = emptyNamespaces.DrainToImmutable(),
            CgroupsMode = cgroupsMode,
            ImagePath = imagePath,
            WorkPath = workPath,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.Bool(1, Exit);
        writer.Bool(2, OpenTcp);
        writer.Bool(3, ExternalUnixSockets);
        writer.Bool(4, Terminal);
        writer.Bool(5, FileLocks);
        foreach (var name in EmptyNamespaces) writer.String(6, name);
        writer.String(7, CgroupsMode);
        writer.String(8, ImagePath);
        writer.String(9, WorkPath);
    }
}
