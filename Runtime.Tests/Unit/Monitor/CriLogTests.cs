using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;
using Runtime.Faults;
using Runtime.Shim.Streams;
using Runtime.Tests.Support;
using Runtime.Ttrpc.Actord;
using Xunit;

namespace Runtime.Tests.Unit.Monitor;

public sealed partial class CriLogTests : IDisposable
{
    private const string Time = "2026-01-02T03:04:05.123456700Z";

    private readonly TempDirectory _directory = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.ParseExact(
        "2026-01-02T03:04:05.1234567Z", "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));

    private string Path => _directory["0.log"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Lines_of_both_streams_keep_the_order_they_came_in()
    {
        var log = Open();
        var (stdout, stderr) = (log.Stream(isStderr: false), log.Stream(isStderr: true));
        Write(stdout, "a\nb\n");
        Write(stderr, "c\n");
        Write(stdout, "\n");

        Assert.Equal([$"{Time} stdout F a", $"{Time} stdout F b", $"{Time} stderr F c", $"{Time} stdout F "], Lines());
    }

    [Fact]
    public void A_line_that_comes_in_pieces_is_one_entry()
    {
        var stdout = Open().Stream(isStderr: false);
        Write(stdout, "he");
        Write(stdout, "ll");
        Assert.Empty(Lines());
        Write(stdout, "o\nrest");
        Assert.Equal([$"{Time} stdout F hello"], Lines());
        stdout.End();

        Assert.Equal([$"{Time} stdout F hello", $"{Time} stdout P rest"], Lines());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    public void A_line_of_exactly_the_maximum_is_whole_and_a_longer_one_is_split(int piece)
    {
        var stdout = Open(maxLine: 4).Stream(isStderr: false);
        var text = "1234\n12345\n123456789\n";
        for (var at = 0; at < text.Length; at += piece)
            Write(stdout, text.Substring(at, Math.Min(piece, text.Length - at)));

        Assert.Equal(["F 1234", "P 1234", "F 5", "P 1234", "P 5678", "F 9"], Lines().Select(line => line[(Time.Length + 8)..]));
    }

    [Fact]
    public void At_its_maximal_size_the_file_moves_aside_and_no_line_is_lost()
    {
        var stdout = Open(maxSize: 400).Stream(isStderr: false);
        for (var i = 0; i < 12; i++)
            Write(stdout, $"line {i}\n");

        var kept = File.ReadAllLines(Path + ".old").Concat(Lines()).Select(line => line[(line.LastIndexOf(' ') + 1)..]);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"{i}"), kept);
        Assert.True(new FileInfo(Path + ".old").Length >= 400);
    }

    [Fact]
    public void Rotation_under_load_loses_doubles_and_tears_no_line()
    {
        var log = Open(maxLine: 64);
        var stdout = log.Stream(isStderr: false);
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"line {i} {new string('x', i % 150)}\n")));
        var random = new Random(7);
        var files = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var count = Math.Min(random.Next(1, 5000), text.Length - at);
            stdout.Write(text.AsSpan(at, count));
            at += count;
            if (random.Next(20) != 0)
                continue;
            files.Add($"{Path}.{files.Count}");
            File.Move(Path, files[^1]);
            log.Reopen();
        }
        stdout.End();

        var entries = files.Append(Path).SelectMany(file =>
        {
            var content = File.ReadAllText(file);
            Assert.True(content.Length == 0 || content[^1] == '\n', "an entry is torn between two files");
            return content.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }).ToList();
        Assert.All(entries, entry => Assert.Matches(Entry(), entry));
        var joined = string.Concat(entries.Select(entry => entry[(Time.Length + 10)..] + (entry[Time.Length + 8] == 'F' ? "\n" : "")));
        Assert.True(files.Count > 10);
        Assert.Equal(Encoding.UTF8.GetString(text), joined);
    }

    [Fact]
    public void A_full_disk_drops_and_counts_and_does_not_block()
    {
        var log = new CriLog(new CriLogUri("/dev/full"), _clock);
        Write(log.Stream(isStderr: false), "lost\n");

        Assert.Equal(Time.Length + " stdout F lost\n".Length, log.DroppedBytes);
    }

    [Fact]
    public void A_log_in_a_directory_that_is_missing_is_a_fault()
    {
        var fault = Assert.Throws<FaultException>(() => new CriLog(new CriLogUri(_directory["no/0.log"]), _clock));

        Assert.Equal(FaultKind.NotFound, fault.Fault.Kind);
    }

    private CriLog Open(int maxLine = CriLogUri.DefaultMaxLineBytes, long maxSize = 0) => new(new CriLogUri(Path, maxLine, maxSize), _clock);

    private string[] Lines() => File.ReadAllLines(Path);

    private static void Write(ISink sink, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal(bytes.Length, sink.Write(bytes));
    }

    [GeneratedRegex(@"^2026-01-02T03:04:05\.123456700Z stdout [FP] .{0,64}$")]
    private static partial Regex Entry();
}
