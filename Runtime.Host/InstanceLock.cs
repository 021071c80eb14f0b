using Runtime.Faults;

namespace Runtime.Host;

/// <summary>One daemon per root directory: two would each write a journal that the other does not know.</summary>
internal sealed class InstanceLock : IDisposable
{
    private readonly FileStream _file;

    private InstanceLock(FileStream file) => _file = file;

    /// <exception cref="FaultException">AlreadyExists: another daemon has this root.</exception>
    public static InstanceLock Take(string root)
    {
        var path = Path.Combine(root, "lock");
        try
        {
            return new InstanceLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException cause)
        {
            throw new FaultException(FaultKind.AlreadyExists, "root.in-use",
                $"Another daemon uses {root} ({path} is locked).", cause);
        }
    }

    public void Dispose() => _file.Dispose();
}
