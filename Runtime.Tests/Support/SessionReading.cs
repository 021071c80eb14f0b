using System.Text;
using Runtime.Actors.Tasks;

namespace Runtime.Tests.Support;

/// <summary>What a client does with a session's streams.</summary>
public static class SessionReading
{
    public static async Task<string> ToEndAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        return await reader.ReadToEndAsync().WaitAsync(ContainerWorld.Patience);
    }

    /// <summary>Reads on until the text has come.</summary>
    public static async Task<string> UntilAsync(Stream stream, string text)
    {
        var seen = new StringBuilder();
        var buffer = new byte[4096];
        while (!seen.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer).AsTask().WaitAsync(ContainerWorld.Patience);
            if (count == 0) throw new EndOfStreamException($"The stream ended after: {seen}");
            seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        return seen.ToString();
    }

    public static ValueTask WriteAsync(IProcessSession session, string text) => session.Stdin!.WriteAsync(Encoding.UTF8.GetBytes(text));
}
