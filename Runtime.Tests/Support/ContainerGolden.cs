using System.Text;
using System.Text.Json;
using Xunit;

namespace Runtime.Tests.Support;

/// <summary>Compares JSON with a file of Golden/. What differs is left in the temporary directory, to look at or to take over.</summary>
public static class ContainerGolden
{
    public static void Check(string name, byte[] json)
    {
        var built = Pretty(json);
        var expected = File.ReadAllText(Path.Combine(Artifacts.Checkout, "Runtime.Tests", "Golden", name));
        if (expected != built) File.WriteAllText(Path.Combine(Path.GetTempPath(), name), built);
        Assert.Equal(expected, built);
    }

    /// <summary>Indented, with a line feed at its end.</summary>
    public static string Pretty(ReadOnlyMemory<byte> json)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        using (var document = JsonDocument.Parse(json))
            document.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
