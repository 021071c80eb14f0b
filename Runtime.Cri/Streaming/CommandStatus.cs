using System.Globalization;
using System.Text;
using System.Text.Json;
using Runtime.Faults;

namespace Runtime.Cri.Streaming;

/// <summary>What the error stream says at the end of an exec or attach: a metav1.Status, or its sentence in old versions.</summary>
/// <param name="Message">Empty for success.</param>
/// <param name="Reason">NonZeroExitCode or InternalError; empty for success.</param>
/// <param name="CauseReason">ExitCode where <paramref name="Cause"/> is one; else empty.</param>
internal readonly record struct CommandStatus(string Message, string Reason, string CauseReason, string Cause)
{
    public static CommandStatus Success { get; } = new("", "", "", "");

    public static CommandStatus Exited(int code) => code == 0
        ? Success
        : new($"command terminated with non-zero exit code: exit code {code}", "NonZeroExitCode", "ExitCode",
            code.ToString(CultureInfo.InvariantCulture));

    public static CommandStatus Failed(RuntimeFault fault) =>
        new($"Internal error occurred: {fault.Message}", "InternalError", "", fault.Message);

    /// <returns>Empty where an old version has nothing to say.</returns>
    public byte[] ToBytes(RemoteProtocol protocol) => protocol.StatusJson ? ToJson() : Encoding.UTF8.GetBytes(Message);

    private byte[] ToJson()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteEndObject();
            json.WriteString("status", Reason.Length == 0 ? "Success" : "Failure");
            if (Reason.Length > 0) WriteFailure(json);
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private void WriteFailure(Utf8JsonWriter json)
    {
        json.WriteString("message", Message);
        json.WriteString("reason", Reason);
        json.WriteStartObject("details");
        json.WriteStartArray("causes");
        json.WriteStartObject();
        if (CauseReason.Length > 0) json.WriteString("reason", CauseReason);
        json.WriteString("message", Cause);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        if (CauseReason.Length == 0) json.WriteNumber("code", 500);
    }
}
