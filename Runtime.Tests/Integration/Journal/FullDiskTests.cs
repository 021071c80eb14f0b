using System.Diagnostics;
using Runtime.Actors.Journal;
using Runtime.Faults;
using Runtime.Tests.Support;
using Runtime.Tests.Unit.Journal;
using Xunit;

namespace Runtime.Tests.Integration.Journal;

/// <summary>A file system that is really full, or really read-only.</summary>
[Collection(KernelCollection.Name)]
public sealed class FullDiskTests : IDisposable
{
    private readonly string _mount = Directory.CreateTempSubdirectory("actord-journal-").FullName;

    public FullDiskTests() => Run("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "journal-test", _mount);

    private string Path => System.IO.Path.Combine(_mount, "journal.db");

    private string Ballast => System.IO.Path.Combine(_mount, "ballast");

    public void Dispose()
    {
        Run("umount", _mount);
        Directory.Delete(_mount);
    }

    [Fact]
    public async Task On_a_full_disk_writes_are_refused_reads_go_on_and_writes_do_too_once_there_is_room()
    {
        using var store = JournalStore.Open(new JournalOptions(Path));
        await store.Append("note/test/a", 1);
        FillDisk();

        var (last, fault) = await AppendUntilRefusedAsync(store, 1);

        Assert.Equal((FaultKind.ResourceExhausted, "journal.disk-full"), (fault.Kind, fault.Code));
        Assert.Equal(last, await store.Highest("note/test/a"));
        Assert.Equal("journal.disk-full", (await StoreCalls.Fault(() => store.Append("note/test/a", last + 1))).Code);

        File.Delete(Ballast);
        await store.Append("note/test/a", last + 1);
        Assert.Equal(last + 1, (await store.History("a"))[^1].Sequence);
    }

    [Fact]
    public async Task What_was_acknowledged_before_the_disk_was_full_is_there_after_a_restart_and_nothing_else()
    {
        long last;
        using (var store = JournalStore.Open(new JournalOptions(Path)))
        {
            await store.Append("note/test/a", 1);
            FillDisk();
            (last, _) = await AppendUntilRefusedAsync(store, 1);
        }
        File.Delete(Ballast);
        using var again = JournalStore.Open(new JournalOptions(Path) { Check = JournalCheck.Full });
        Assert.Equal(Enumerable.Range(1, (int)last).Select(n => (long)n), (await again.History("a")).Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task A_read_only_file_system_is_named_when_the_journal_is_opened()
    {
        using (var store = JournalStore.Open(new JournalOptions(Path))) await store.Append("note/test/a", 1);
        Run("mount", "-o", "remount,ro", _mount);
        var fault = StoreCalls.Fault(() => JournalStore.Open(new JournalOptions(Path)));
        Assert.Equal(FaultKind.PermissionDenied, fault.Kind);
        Assert.Contains(Path, fault.Message, StringComparison.Ordinal);
    }

    private static async Task<(long Last, RuntimeFault Fault)> AppendUntilRefusedAsync(JournalStore store, long last)
    {
        while (true)
        {
            try
            {
                await store.Append("note/test/a", last + 1);
                last++;
            }
            catch (FaultException refused)
            {
                return (last, refused.Fault);
            }
        }
    }

    private void FillDisk()
    {
        using var ballast = new FileStream(Ballast, FileMode.CreateNew);
        var block = new byte[4096];
        try
        {
            while (true)
            {
                ballast.Write(block);
                ballast.Flush();
            }
        }
        catch (IOException)
        {
            // Full, as it should be.
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
