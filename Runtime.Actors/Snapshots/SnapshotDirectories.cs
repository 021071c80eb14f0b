using System.Collections.Immutable;
using System.Globalization;
using Runtime.Actors.Content;
using Runtime.Linux.Files;

namespace Runtime.Actors.Snapshots;

/// <summary>
/// <c>ROOT/snapshots/N</c> as containerd lays it out: made as <c>new-N</c> and renamed when it is whole; renamed to <c>rm-N</c> before
/// it is removed.
/// </summary>
internal sealed class SnapshotDirectories
{
    private const string Making = "new-";
    private const string Removing = "rm-";

    private readonly string _snapshots;

    public SnapshotDirectories(string root) => DurableFiles.MakePrivateDirectory(_snapshots = Path.Combine(root, "snapshots"));

    public string this[long number] => Path.Combine(_snapshots, number.ToString(CultureInfo.InvariantCulture));

    public ImmutableArray<long> Numbers() =>
    [
        .. Directory.EnumerateDirectories(_snapshots)
            .Select(path => long.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var number) ? number : -1)
            .Where(number => number >= 0),
    ];

    /// <param name="fill">Gets the path of the new, empty directory.</param>
    public void Make(long number, Action<string> fill)
    {
        if (Directory.Exists(this[number])) return;
        var making = Path.Combine(_snapshots, Making + number.ToString(CultureInfo.InvariantCulture));
        try
        {
            DirectoryTree.Delete(making);
            DurableFiles.MakePrivateDirectory(making);
            fill(making);
            Directory.Move(making, this[number]);
        }
        catch (IOException failed)
        {
            DirectoryTree.Delete(making);
            throw ContentFaults.Disk(making, failed);
        }
        catch
        {
            DirectoryTree.Delete(making);
            throw;
        }
    }

    public void Remove(long number)
    {
        var removing = Path.Combine(_snapshots, Removing + number.ToString(CultureInfo.InvariantCulture));
        if (Directory.Exists(this[number]) && !Directory.Exists(removing)) Directory.Move(this[number], removing);
        DirectoryTree.Delete(removing);
        DirectoryTree.Delete(this[number]);
    }

    public void Tidy()
    {
        foreach (var path in Directory.GetDirectories(_snapshots))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith(Making, StringComparison.Ordinal) || name.StartsWith(Removing, StringComparison.Ordinal))
                DirectoryTree.Delete(path);
        }
    }
}
