using Runtime.Cri.V1;

namespace Runtime.Cli;

/// <summary>
/// Reads a container's log file, lines of <c>TIME STREAM P|F TEXT</c>, and goes on in the new file when it is rotated.
/// </summary>
internal sealed class LogFollower(string path)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Prints what there is; with <paramref name="goOn"/>, also what comes while it answers true.</summary>
    public async Task PrintAsync(int? tail, bool timestamps, Func<Task<bool>>? goOn, CancellationToken cancellation)
    {
        using var output = Console.OpenStandardOutput();
        using var errors = Console.OpenStandardError();
        var file = await OpenAsync(goOn, cancellation);
        if (file is null) return;
        try
        {
            if (tail is { } lines) SkipToTail(file, lines);
            var pending = new MemoryStream();
            while (true)
            {
                var ended = goOn is null || !await goOn();
                await CopyLinesAsync(file, pending, output, errors, timestamps, cancellation);
                if (ended) return;
                if (WasRotated(file))
                {
                    await CopyLinesAsync(file, pending, output, errors, timestamps, cancellation);
                    await file.DisposeAsync();
                    file = Open();
                    continue;
                }
                await Task.Delay(PollInterval, cancellation);
            }
        }
        finally
        {
            await file.DisposeAsync();
        }
    }

    /// <summary>Follows a container's log until it has exited, and answers its exit code.</summary>
    public static async Task<int> FollowToExitAsync(Daemon daemon, string containerId, CancellationToken cancellation)
    {
        var status = await StatusAsync(daemon, containerId, cancellation);
        await new LogFollower(status.LogPath).PrintAsync(null, timestamps: false, StillRuns(daemon, containerId, cancellation), cancellation);
        status = await StatusAsync(daemon, containerId, cancellation);
        if (status.Message.Length > 0) Console.Error.WriteLine(status.Message);
        return status.ExitCode;
    }

    /// <summary>Waits until a container has exited.</summary>
    public static async Task<ContainerStatus> ExitedAsync(Daemon daemon, string containerId, CancellationToken cancellation)
    {
        var stillRuns = StillRuns(daemon, containerId, cancellation);
        while (await stillRuns()) await Task.Delay(PollInterval, cancellation);
        return await StatusAsync(daemon, containerId, cancellation);
    }

    /// <summary>Asks the daemon now and then whether the container still runs.</summary>
    public static Func<Task<bool>> StillRuns(Daemon daemon, string containerId, CancellationToken cancellation)
    {
        var asked = DateTime.MinValue;
        var running = true;
        return async () =>
        {
            if (!running || DateTime.UtcNow - asked < StatusInterval) return running;
            running = (await StatusAsync(daemon, containerId, cancellation)).State is ContainerState.ContainerRunning;
            asked = DateTime.UtcNow;
            return running;
        };
    }

    public static async Task<ContainerStatus> StatusAsync(Daemon daemon, string containerId, CancellationToken cancellation) =>
        (await daemon.Pods.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = containerId }, daemon.Call(cancellation))).Status;

    private FileStream Open() => new(path, new FileStreamOptions
    {
        Share = FileShare.ReadWrite | FileShare.Delete,
        Options = FileOptions.SequentialScan,
    });

    private async Task<FileStream?> OpenAsync(Func<Task<bool>>? goOn, CancellationToken cancellation)
    {
        while (!File.Exists(path))
        {
            if (goOn is null || !await goOn()) throw new CommandException($"there is no log at {path}");
            await Task.Delay(PollInterval, cancellation);
        }
        return Open();
    }

    // The kubelet renames the old file; a name that leads to another file, or a shorter one, is a new log.
    private bool WasRotated(FileStream file)
    {
        if (!File.Exists(path)) return false;
        using var current = Open();
        return current.Length < file.Position || !SameFile(file, current);
    }

    private static bool SameFile(FileStream left, FileStream right) =>
        File.ResolveLinkTarget($"/proc/self/fd/{left.SafeFileHandle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName ==
        File.ResolveLinkTarget($"/proc/self/fd/{right.SafeFileHandle.DangerousGetHandle()}", returnFinalTarget: false)?.FullName;

    private static async Task CopyLinesAsync(
        FileStream file, MemoryStream pending, Stream output, Stream errors, bool timestamps, CancellationToken cancellation)
    {
        var buffer = new byte[64 << 10];
        int read;
        while ((read = await file.ReadAsync(buffer, cancellation)) > 0)
        {
            var start = 0;
            for (int end; (end = Array.IndexOf(buffer, (byte)'\n', start, read - start)) >= 0; start = end + 1)
            {
                pending.Write(buffer, start, end - start);
                Print(pending.GetBuffer().AsSpan(0, (int)pending.Length), output, errors, timestamps);
                pending.SetLength(0);
            }
            pending.Write(buffer, start, read - start);
        }
        output.Flush();
        errors.Flush();
    }

    private static void Print(ReadOnlySpan<byte> line, Stream output, Stream errors, bool timestamps)
    {
        var time = line.IndexOf((byte)' ');
        var rest = time < 0 ? default : line[(time + 1)..];
        var stream = rest.IndexOf((byte)' ');
        if (stream < 0 || rest.Length < stream + 3)
        {
            output.Write(line);
            output.WriteByte((byte)'\n');
            return;
        }
        var target = rest[..stream].SequenceEqual("stderr"u8) ? errors : output;
        var partial = rest[stream + 1] == (byte)'P';
        if (timestamps) target.Write(line[..(time + 1)]);
        target.Write(rest[(stream + 3)..]);
        if (!partial) target.WriteByte((byte)'\n');
    }

    private static void SkipToTail(FileStream file, int lines)
    {
        var block = new byte[64 << 10];
        var at = file.Length;
        var left = lines + 1;
        while (at > 0)
        {
            var size = (int)Math.Min(block.Length, at);
            at -= size;
            file.Position = at;
            file.ReadExactly(block, 0, size);
            for (var i = size - 1; i >= 0; i--)
            {
                if (block[i] != (byte)'\n' || --left > 0) continue;
                file.Position = at + i + 1;
                return;
            }
        }
        file.Position = 0;
    }
}
