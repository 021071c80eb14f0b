using Microsoft.Win32.SafeHandles;
using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Io;
using Runtime.Linux.Terminals;
using Runtime.Shim.Loops;
using Runtime.Ttrpc.Actord;

namespace Runtime.Shim.Streams;

/// <summary>Where a process' streams go: empty, a FIFO's path, or a URI.</summary>
internal sealed record StreamTargets(string Stdin, string Stdout, string Stderr, bool IsTerminal)
{
    /// <summary>A client connects to one of them.</summary>
    public bool HasConnections =>
        Stdin == StreamConnection.Target || Stdout == StreamConnection.Target || Stderr == StreamConnection.Target;
}

/// <summary>The streams of one process: made on the control loop, copied on the I/O loop.</summary>
internal sealed class ProcessStreams
{
    /// <summary>How long output is waited for after the exit, where a grandchild keeps the pipe open.</summary>
    private const int DrainMs = 1000;

    private readonly EventLoop _io;
    private readonly EventLoop _control;
    private readonly StreamTargets _targets;
    private readonly LoggerProcess? _logger;
    private readonly List<Copier> _outputs = [];
    private readonly ISink? _stdout;
    private readonly ISink? _stderr;
    private CriLog? _log;
    private readonly SafeFileHandle? _stdinSource;
    private readonly List<Copier> _attachedInputs = [];
    private Copier? _input;
    private SafeFileHandle? _master;
    private SafeFileHandle? _stdinPipe;
    private SafeFileHandle? _stdoutPipe;
    private SafeFileHandle? _stderrPipe;
    private Action? _drained;
    private int _copying;
    private bool _isAttached;
    private bool _closesInput;

    /// <param name="connections">Of an exec; null: a container's first process, to which clients attach while it runs.</param>
    /// <param name="logger">Takes the streams that go to a program; null where none does.</param>
    /// <exception cref="FaultException">A FIFO or file cannot be opened, or a URI is not understood.</exception>
    public ProcessStreams(
        EventLoop control, EventLoop io, StreamTargets targets, uint uid, uint gid, ExecConnections? connections = null,
        LoggerProcess? logger = null)
    {
        (_control, _io, _targets, _logger) = (control, io, targets, logger);
        try
        {
            if (targets.Stdin == StreamConnection.Target)
                _stdinSource = connections?.Take(StreamKind.Stdin);
            else if (targets.Stdin.Length > 0)
                _stdinSource = OpenFifo(targets.Stdin);
            _stdout = OpenOutput(targets.Stdout, StreamKind.Stdout, connections);
            _stderr = targets.IsTerminal ? null : OpenOutput(targets.Stderr, StreamKind.Stderr, connections);
            logger?.CloseUnused();
            if (!targets.IsTerminal)
                MakePipes(uid, gid);
        }
        catch (FaultException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The process' ends; null for /dev/null. Closed by <see cref="Start"/>.</summary>
    public SafeFileHandle? ChildStdin { get; private set; }

    public SafeFileHandle? ChildStdout { get; private set; }

    public SafeFileHandle? ChildStderr { get; private set; }

    /// <summary>Starts copying; the process runs, or is about to.</summary>
    /// <param name="master">Of its terminal.</param>
    public void Start(SafeFileHandle? master)
    {
        CloseChildEnds();
        _isAttached = true;
        _master = master;
        if (master is not null)
            RawIo.SetNonBlocking(master);
        _io.Post(() => Copy(master));
    }

    /// <summary>Whether a client can attach to a stream.</summary>
    public bool CanAttach(StreamKind kind) => kind switch
    {
        StreamKind.Stdin => _targets.Stdin.Length > 0,
        StreamKind.Stdout => _stdout is OutputTee,
        _ => _stderr is OutputTee,
    };

    /// <summary>A client joins a stream of the container from here on, until it goes or is too slow.</summary>
    /// <param name="socket">Non-blocking; owned from here on.</param>
    /// <param name="closesStdin">The end of this client's input is the end of the container's.</param>
    public void Attach(StreamKind kind, SafeFileHandle socket, bool closesStdin) => _io.Post(() =>
    {
        if (kind == StreamKind.Stdin)
            AttachInput(socket, closesStdin);
        else
            ((OutputTee)(kind == StreamKind.Stdout ? _stdout! : _stderr!)).Add(socket);
    });

    /// <exception cref="FaultException">FailedPrecondition, <c>process.no-terminal</c>.</exception>
    public void Resize(uint width, uint height)
    {
        if (_master is not { IsClosed: false } master)
            throw new FaultException(FaultKind.FailedPrecondition, "process.no-terminal", "The process has no terminal.");
        Terminal.Resize(master, width, height);
    }

    /// <summary>
    /// The process sees the end of its input when nobody else has the FIFO open for writing: a client that went away does not
    /// end it, this call does.
    /// </summary>
    public void CloseStdin() => _io.Post(CloseInput);

    private void CloseInput()
    {
        if (_targets.Stdin == StreamConnection.Target)
        {
            EndInput();
            return;
        }
        // While the process is being started: a client that has little to say is quicker than the OCI runtime.
        _closesInput = _input is null;
        if (_input is not { IsEnded: false } input)
            return;
        try
        {
            input.Replace(Descriptors.Open(_targets.Stdin, FileConstants.O_RDONLY | FileConstants.O_NONBLOCK));
        }
        catch (FaultException)
        {
            input.Stop(); // the FIFO is gone, so nothing can come
        }
    }

    /// <summary>After the exit: calls <paramref name="drained"/> on the control loop when all output is copied, or it took too long.</summary>
    public void Drain(Action drained) => _io.Post(() =>
    {
        _drained = drained;
        for (var i = 0; i < _outputs.Count; i++)
            _outputs[i].Drain();
        ReportIfDrained();
        if (_drained is not null)
            _io.After(DrainMs, Report);
    });

    /// <summary>Calls <paramref name="done"/> on the control loop when the old log file does not grow any more.</summary>
    public void ReopenLog(Action<RuntimeFault?> done) => _io.Post(() =>
    {
        RuntimeFault? fault = null;
        try
        {
            if (_log is null)
                fault = new(FaultKind.FailedPrecondition, "log.not-ours", "The shim does not write this container's log.");
            else
                _log.Reopen();
        }
        catch (FaultException failed)
        {
            fault = failed.Fault;
        }
        _control.Post(() => done(fault));
    });

    /// <summary>Stops all copying and closes everything.</summary>
    public void Dispose()
    {
        CloseChildEnds();
        if (!_isAttached)
        {
            _stdinSource?.Dispose();
            _stdinPipe?.Dispose();
            _stdoutPipe?.Dispose();
            _stderrPipe?.Dispose();
            _stdout?.End();
            _stderr?.End();
            return;
        }
        _io.Post(() =>
        {
            EndInput();
            foreach (var output in _outputs.ToArray())
                output.Stop();
            _master?.Dispose();
        });
    }

    private void Copy(SafeFileHandle? master)
    {
        if (master is not null)
        {
            Copy(RawIo.Duplicate(master), _stdout ?? NullSink.Instance);
            if (_stdinSource is not null)
                _input = new Copier(_io, _stdinSource, new DescriptorSink(RawIo.Duplicate(master)), () => { });
            if (_closesInput)
                CloseInput();
            return;
        }
        if (_stdoutPipe is not null)
            Copy(_stdoutPipe, _stdout!);
        if (_stderrPipe is not null)
            Copy(_stderrPipe, _stderr!);
        if (_stdinSource is not null)
            _input = new Copier(_io, _stdinSource, new DescriptorSink(_stdinPipe!), () => { });
        if (_closesInput)
            CloseInput();
    }

    private void AttachInput(SafeFileHandle socket, bool closesStdin)
    {
        if ((_master ?? _stdinPipe) is not { IsClosed: false } target)
        {
            socket.Dispose(); // the container's stdin has ended, so the client's does
            return;
        }
        Copier? client = null;
        client = new Copier(_io, socket, new DescriptorSink(RawIo.Duplicate(target)), () =>
        {
            _attachedInputs.Remove(client!);
            if (closesStdin)
                EndInput();
        });
        _attachedInputs.Add(client);
    }

    /// <summary>The process sees the end of its input; a terminal has none.</summary>
    private void EndInput()
    {
        _input?.Stop();
        _stdinPipe?.Dispose();
        while (_attachedInputs.Count > 0)
            _attachedInputs[^1].Stop();
    }

    private void Copy(SafeFileHandle source, ISink sink)
    {
        _copying++;
        _outputs.Add(new Copier(_io, source, sink, () =>
        {
            _copying--;
            ReportIfDrained();
        }));
    }

    private void ReportIfDrained()
    {
        if (_copying == 0)
            Report();
    }

    private void Report()
    {
        if (_drained is { } drained)
            _control.Post(drained);
        _drained = null;
    }

    private void MakePipes(uint uid, uint gid)
    {
        if (_targets.Stdin.Length > 0)
            (ChildStdin, _stdinPipe) = RawIo.Pipe();
        if (_stdout is not null)
            (_stdoutPipe, ChildStdout) = RawIo.Pipe();
        if (_stderr is not null)
            (_stderrPipe, ChildStderr) = RawIo.Pipe();
        // The process may open /dev/stdout anew: then the pipe's owner counts.
        foreach (var end in (ReadOnlySpan<SafeFileHandle?>)[ChildStdin, ChildStdout, ChildStderr])
        {
            if (end is not null && (uid != 0 || gid != 0))
                Inodes.ChangeOwner(end, uid, gid);
        }
        foreach (var end in (ReadOnlySpan<SafeFileHandle?>)[_stdinPipe, _stdoutPipe, _stderrPipe])
        {
            if (end is not null)
                RawIo.SetNonBlocking(end);
        }
    }

    private void CloseChildEnds()
    {
        ChildStdin?.Dispose();
        ChildStdout?.Dispose();
        ChildStderr?.Dispose();
        (ChildStdin, ChildStdout, ChildStderr) = (null, null, null);
    }

    private ISink? OpenOutput(string target, StreamKind kind, ExecConnections? connections)
    {
        if (target.Length == 0)
            return null;
        if (connections is null)
            return new OutputTee(_io, target == StreamConnection.Target ? NullSink.Instance : Open(target, kind));
        if (target != StreamConnection.Target)
            return Open(target, kind);
        return connections.Take(kind) is { } socket
            ? new SocketSink(socket)
            : throw new FaultException(FaultKind.FailedPrecondition, "exec.no-connection", $"Nobody has opened the exec's {kind} yet.");
    }

    private ISink Open(string target, StreamKind kind)
    {
        if (CriLogUri.IsCriLog(target))
            return (_log ??= new CriLog(CriLogUri.Parse(target), TimeProvider.System)).Stream(isStderr: kind == StreamKind.Stderr);
        if (LoggerProcess.IsLogger(target))
            return _logger!.Sink(kind);
        const string FileScheme = "file://";
        if (target.StartsWith(FileScheme, StringComparison.Ordinal))
            return new FileSink(target[FileScheme.Length..]);
        const string FifoScheme = "fifo://";
        if (target.StartsWith(FifoScheme, StringComparison.Ordinal))
            target = target[FifoScheme.Length..];
        if (!target.StartsWith('/'))
            throw new FaultException(
                FaultKind.Unimplemented, "process.unknown-stream", $"The stream {target} is not understood: FIFO path, cri://, file://, binary://, stream://.");
        return new DescriptorSink(OpenFifo(target));
    }

    /// <summary>
    /// Both ends of it: opening never blocks, and neither a writer nor a reader that goes away is an end or an error.
    /// </summary>
    private static SafeFileHandle OpenFifo(string path) =>
        Descriptors.Open(path, FileConstants.O_RDWR | FileConstants.O_NONBLOCK | FileConstants.O_NOCTTY);
}
