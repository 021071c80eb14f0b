using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Bootstrap;

/// <summary>containerd.runc.v1.Options. Field 8 was criu_path up to containerd 1.7.</summary>
public sealed record RuncOptionsMessage : IWireMessage<RuncOptionsMessage>
{
    public bool NoPivotRoot { get; init; }

    public bool NoNewKeyring { get; init; }

    public string ShimCgroup { get; init; } = "";

    public uint IoUid { get; init; }

    public uint IoGid { get; init; }

    public string BinaryName { get; init; } = "";

    public string Root { get; init; } = "";

    public string CriuPath { get; init; } = "";

    public bool SystemdCgroup { get; init; }

    public string CriuImagePath { get; init; } = "";

    public string CriuWorkPath { get; init; } = "";

    public string TaskApiAddress { get; init; } = "";

    public uint TaskApiVersion { get; init; }

    public static RuncOptionsMessage Read(WireReader reader)
    {
        var noPivotRoot = false;
        var noNewKeyring = false;
        var shimCgroup = "";
        uint ioUid = 0;
        uint ioGid = 0;
        var binaryName = "";
        var root = "";
        var criuPath = "";
        var systemdCgroup = false;
        var criuImagePath = "";
        var criuWorkPath = "";
        var taskApiAddress = "";
        uint taskApiVersion = 0;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: noPivotRoot = reader.Bool(); break;
                case 2: noNewKeyring = reader.Bool(); break;
                case 3: shimCgroup = reader.String(); break;
                case 4: ioUid = reader.UInt32(); break;
                case 5: ioGid = reader.UInt32(); break;
                case 6: binaryName = reader.String(); break;
                case 7: root = reader.String(); break;
                case 8: criuPath = reader.String(); break;
                case 9: systemdCgroup = reader.Bool(); break;
                case 10: criuImagePath = reader.String(); break;
                case 11: criuWorkPath = reader.String(); break;
                case 12: taskApiAddress = reader.String(); break;
                case 13: taskApiVersion = reader.UInt32(); break;
                default: reader.Skip(); break;
            }
        }
        return new()
        {
            NoPivotRoot = noPivotRoot,
            NoNewKeyring = noNewKeyring,
            ShimCgroup = shimCgroup,
            IoUid = ioUid,
            IoGid = ioGid,
            BinaryName = binaryName,
            Root = root,
            CriuPath = criuPath,
            SystemdCgroup = systemdCgroup,
            CriuImagePath = criuImagePath,
            CriuWorkPath = criuWorkPath,
            TaskApiAddress = taskApiAddress,
            TaskApiVersion = taskApiVersion,
        };
    }

    public void Write(WireWriter writer)
    {
        writer.Bool(1, NoPivotRoot);
        writer.Bool(2, NoNewKeyring);
        writer.String(3, ShimCgroup);
        writer.UInt64(4, IoUid);
        writer.UInt64(5, IoGid);
        writer.String(6, BinaryName);
        writer.String(7, Root);
        writer.String(8, CriuPath);
        writer.Bool(9, SystemdCgroup);
        writer.String(10, CriuImagePath);
        writer.String(11, CriuWorkPath);
        writer.String(12, TaskApiAddress);
        writer.UInt64(13, TaskApiVersion);
    }
}
