using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runtime.Oci.RuntimeSpec;

/// <summary><c>linux.seccomp</c>; also the format of a localhost profile's file.</summary>
public sealed record OciSeccomp
{
    public const string Allow = "SCMP_ACT_ALLOW";
    public const string Errno = "SCMP_ACT_ERRNO";
    public const string Notify = "SCMP_ACT_NOTIFY";

    [JsonPropertyName("defaultAction")]
    public required string DefaultAction { get; init; }

    [JsonPropertyName("defaultErrnoRet")]
    public uint? DefaultErrnoRet { get; init; }

    [JsonPropertyName("architectures")]
    public IReadOnlyList<string>? Architectures { get; init; }

    [JsonPropertyName("flags")]
    public IReadOnlyList<string>? Flags { get; init; }

    [JsonPropertyName("listenerPath")]
    public string? ListenerPath { get; init; }

    [JsonPropertyName("syscalls")]
    public IReadOnlyList<OciSyscallRule>? Syscalls { get; init; }

    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; set; }
}

public sealed record OciSyscallRule(
    [property: JsonPropertyName("names")] IReadOnlyList<string> Names,
    [property: JsonPropertyName("action")] string Action,
    [property: JsonPropertyName("errnoRet")] uint? ErrnoRet = null,
    [property: JsonPropertyName("args")] IReadOnlyList<OciSyscallArgument>? Args = null);

/// <summary>All arguments of a rule must match.</summary>
/// <param name="Op"><c>SCMP_CMP_EQ</c>, <c>SCMP_CMP_MASKED_EQ</c> and the like.</param>
public sealed record OciSyscallArgument(
    [property: JsonPropertyName("index")] uint Index,
    [property: JsonPropertyName("value")] ulong Value,
    [property: JsonPropertyName("op")] string Op,
    [property: JsonPropertyName("valueTwo")] ulong? ValueTwo = null);
