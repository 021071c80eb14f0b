using System.Collections.Immutable;
using Runtime.Ttrpc.Wire;

namespace Runtime.Ttrpc.Tasks;

/// <summary>Task.Pids: containerd.v1.types.ProcessInfo (pid 1, info 2: containerd.runc.v1.ProcessDetails with the exec id).</summary>
public sealed record PidsResponse : IWireMessage<PidsResponse>
{
    private const string DetailsType = "containerd.runc.v1.ProcessDetails";

    public ImmutableArray<TaskProcess> Processes { get; init; } = [];

    public static PidsResponse Read(WireReader reader)
    {
        var processes = ImmutableArray.CreateBuilder<TaskProcess>();
        while (reader.Next(out var field))
        {
            if (field == 1)
                processes.Add(Process(reader.Nested()));
            else
                reader.Skip();
        }
        return new() { Processes = processes.DrainToImmutable() };
    }

    public void Write(WireWriter writer)
    {
        foreach (var process in Processes)
        {
            var start = writer.Begin(1);
            writer.UInt64(1, process.Pid);
            if (process.ExecId.Length > 0)
            {
                var any = writer.Begin(2);
                writer.String(1, DetailsType);
                var details = writer.Begin(2);
                writer.String(1, process.ExecId);
                writer.End(details);
                writer.End(any);
            }
            writer.End(start);
        }
    }

    private static TaskProcess Process(WireReader reader)
    {
        uint pid = 0;
        var execId = "";
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1: pid = reader.UInt32(); break;
                case 2 when reader.Message<WireAny>() is { TypeName: DetailsType } details:
                    execId = ExecIdOf(new WireReader(details.Value.Span));
                    break;
                case 2: break;
                default: reader.Skip(); break;
            }
        }
        return new(pid, execId);
    }

    private static string ExecIdOf(WireReader reader)
    {
        var execId = "";
        while (reader.Next(out var field))
        {
            if (field == 1)
                execId = reader.String();
            else
                reader.Skip();
        }
        return execId;
    }
}

/// <summary>One process of a container.</summary>
/// <param name="ExecId">Empty for the init process, and for what the container's processes started.</param>
public readonly record struct TaskProcess(uint Pid, string ExecId);
