using System.Text.Json;

namespace Runtime.Shim.Oci;

/// <summary>What an OCI runtime writes with <c>--log-format json</c>: runc an object on each line, crun 1.28 one over several.</summary>
internal static class RuntimeLog
{
    private static readonly JsonReaderOptions Several = new() { AllowMultipleValues = true };

    /// <summary>The message of the last error; null where there is none.</summary>
    public static string? LastError(ReadOnlySpan<byte> log)
    {
        string? last = null;
        while (!(log = log.TrimStart(" \t\r\n"u8)).IsEmpty)
        {
            if (TryRead(log, out var message, out var length))
            {
                last = message ?? last;
                log = log[length..];
                continue;
            }
            // Not an object, or one cut off by a crash of the runtime: what comes on a later line may be one.
            var end = log.IndexOf((byte)'\n');
            log = end < 0 ? default : log[(end + 1)..];
        }
        return last;
    }

    /// <param name="message">Null where it is no error.</param>
    private static bool TryRead(ReadOnlySpan<byte> log, out string? message, out int length)
    {
        (message, length) = (null, 0);
        if (log[0] != '{') return false;
        try
        {
            var reader = new Utf8JsonReader(log, Several);
            string? level = null;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                var isMessage = reader.ValueTextEquals("msg"u8);
                var isLevel = reader.ValueTextEquals("level"u8);
                reader.Read();
                if (reader.TokenType != JsonTokenType.String) reader.Skip();
                else if (isMessage) message = reader.GetString();
                else if (isLevel) level = reader.GetString();
            }
            length = (int)reader.BytesConsumed;
            if (level is not ("error" or "fatal" or "critical")) message = null;
            return true;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The second is for what is no UTF-8: a message may quote names of files in an image.
            return false;
        }
    }
}
