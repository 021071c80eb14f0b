using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Io;
using Runtime.Linux.Processes;
using Runtime.Ttrpc.Actord;

namespace Runtime.Shim.Streams;

/// <summary>
/// <c>binary:///PATH?NAME=VALUE</c>: a program that takes a process' output, as containerd starts it. It is run with the query's names
/// and values as its arguments and the container's id and namespace as its environment; descriptor 3 is the standard output, 4 the
/// standard error, and it closes 5 once it is ready.
/// </summary>
internal sealed class LoggerProcess : IDisposable
{
    private const string Scheme = "binary://";

    /// <summary>How long it may take to be ready, as in containerd.</summary>
    private const int ReadyMs = 10_000;

    private readonly SafeFileHandle _stdout;
    private readonly SafeFileHandle _stderr;
    private bool _takesStdout;
    private bool _takesStderr;

    private LoggerProcess(int pid, SafeFileHandle stdout, SafeFileHandle stderr) => (Pid, _stdout, _stderr) = (pid, stdout, stderr);

    public int Pid { get; }

    /// <summary>It has been reaped.</summary>
    public bool HasEnded { get; set; }

    public static bool IsLogger(string target) => target.StartsWith(Scheme, StringComparison.Ordinal);

    public static bool IsFor(StreamTargets targets) => IsLogger(targets.Stdout) || IsLogger(targets.Stderr);

    /// <summary>Starts it and waits until it is ready, so not on a loop. Reaping it is the caller's.</summary>
    /// <exception cref="FaultException">NotFound, or DeadlineExceeded <c>logger.not-ready</c>.</exception>
    public static LoggerProcess Start(StreamTargets targets, string id, string space)
    {
        var uri = ParseUri(IsLogger(targets.Stdout) ? targets.Stdout : targets.Stderr);
        var (stdoutRead, stdoutWrite) = RawIo.Pipe();
        var (stderrRead, stderrWrite) = RawIo.Pipe();
        var (readyRead, readyWrite) = RawIo.Pipe();
        try
        {
            var pid = Spawner.Spawn(new(uri.Path, [uri.Path, .. uri.Arguments])
            {
                Environment = [$"CONTAINER_ID={id}", $"CONTAINER_NAMESPACE={space}"],
                Extras = [stdoutRead, stderrRead, readyWrite],
            });
            readyWrite.Dispose();
            RawIo.SetNonBlocking(stdoutWrite);
            RawIo.SetNonBlocking(stderrWrite);
            if (RawIo.WaitReadable(readyRead, ReadyMs)) return new(pid, stdoutWrite, stderrWrite);
            ProcessControl.TrySignal(pid, Signals.SIGKILL);
            throw new FaultException(FaultKind.DeadlineExceeded, "logger.not-ready", $"{uri.Path} was not ready to log within {ReadyMs} ms.");
        }
        catch (FaultException)
        {
            stdoutWrite.Dispose();
            stderrWrite.Dispose();
            throw;
        }
        finally
        {
            foreach (var end in (ReadOnlySpan<SafeFileHandle>)[stdoutRead, stderrRead, readyRead, readyWrite]) end.Dispose();
        }
    }

    /// <summary>Its end for a stream, once.</summary>
    public ISink Sink(StreamKind kind)
    {
        if (kind == StreamKind.Stderr) _takesStderr = true;
        else _takesStdout = true;
        return new DescriptorSink(kind == StreamKind.Stderr ? _stderr : _stdout);
    }

    /// <summary>It sees the end of the streams that nobody has taken.</summary>
    public void CloseUnused()
    {
        if (!_takesStdout) _stdout.Dispose();
        if (!_takesStderr) _stderr.Dispose();
    }

    public void Dispose()
    {
        _stdout.Dispose();
        _stderr.Dispose();
    }

    /// <exception cref="FaultException">InvalidArgument.</exception>
    internal static (string Path, IReadOnlyList<string> Arguments) ParseUri(string text)
    {
        var rest = text[Scheme.Length..];
        var question = rest.IndexOf('?', StringComparison.Ordinal);
        var path = Uri.UnescapeDataString(question < 0 ? rest : rest[..question]);
        if (!path.StartsWith('/'))
            throw new FaultException(FaultKind.InvalidArgument, "logger.bad-uri", $"{text} does not name an absolute path.");
        var arguments = new List<string>();
        foreach (var pair in question < 0 ? [] : rest[(question + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            arguments.Add(Decode(equals < 0 ? pair : pair[..equals]));
            arguments.Add(equals < 0 ? "" : Decode(pair[(equals + 1)..]));
        }
        return (path, arguments);
    }

    private static string Decode(string part) => Uri.UnescapeDataString(part.Replace('+', ' '));
}
