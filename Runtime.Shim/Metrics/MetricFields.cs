using Runtime.Linux.Cgroups;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Metrics;

/// <summary>Maps keys of cgroup files to protobuf fields: the key at index i has the field i + 1.</summary>
internal static class MetricFields
{
    private readonly record struct State(WireWriter Writer, string[] Keys, ulong Factor);

    /// <summary>Writes every number of the file whose key is listed.</summary>
    /// <param name="factor">What each number is multiplied with.</param>
    public static void Keyed(WireWriter writer, string directory, string file, string[] keys, ulong factor = 1)
    {
        var state = new State(writer, keys, factor);
        CgroupFile.ReadKeyed(directory, file, ref state, static (key, value, ref state) =>
        {
            for (var i = 0; i < state.Keys.Length; i++)
            {
                if (System.Text.Ascii.Equals(key, state.Keys[i]))
                    state.Writer.UInt64(i + 1, value * state.Factor);
            }
        });
    }

    public static void Number(WireWriter writer, int field, string directory, string file) =>
        writer.UInt64(field, CgroupFile.ReadNumber(directory, file) ?? 0);

    /// <summary>A limit: what stands for none is the biggest number, as containerd has it.</summary>
    public static void Limit(WireWriter writer, int field, string directory, string file) =>
        writer.UInt64(field, CgroupFile.ReadNumber(directory, file) ?? (File.Exists(System.IO.Path.Combine(directory, file)) ? ulong.MaxValue : 0));
}
