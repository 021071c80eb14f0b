namespace Runtime.Tests.Support;

/// <summary>A directory of one test, removed with all that is in it.</summary>
public sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("actord-test-").FullName;

    /// <summary>A path below, whether there is something or not.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
