using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Linux.Processes;

/// <summary>A program to start.</summary>
/// <param name="Arguments">With the name that the program sees itself under in front.</param>
public sealed record SpawnRequest(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary><c>NAME=value</c>; null: this process' own.</summary>
    public IReadOnlyList<string>? Environment { get; init; }

    public string? WorkingDirectory { get; init; }

    /// <summary>Null: /dev/null.</summary>
    public SafeFileHandle? Stdin { get; init; }

    public SafeFileHandle? Stdout { get; init; }

    public SafeFileHandle? Stderr { get; init; }

    /// <summary>Become descriptors 3 and up. Each must not be numbered as one that another becomes.</summary>
    public IReadOnlyList<SafeFileHandle> Extras { get; init; } = [];

    /// <summary>A session of its own, setsid(2): signals of the starter's terminal and group do not reach it.</summary>
    public bool NewSession { get; init; }

    /// <summary>Signals that the program starts with blocked, in all threads it will have.</summary>
    public IReadOnlyList<int> BlockedSignals { get; init; } = [];
}

/// <summary>Starts programs with posix_spawn(3): vfork inside, so the cost does not grow with this process' memory.</summary>
public static unsafe class Spawner
{
    // glibc on 64-bit machines: posix_spawnattr_t has 336 bytes, posix_spawn_file_actions_t 80. musl's are not bigger.
    private const int AttributeBytes = 512;
    private const int ActionBytes = 256;
    private const int FirstInherited = 3;

    /// <summary>The new process' id. It is a child of this process: reap it (<see cref="Children"/>).</summary>
    /// <exception cref="Runtime.Faults.FaultException">NotFound for a program that is not there or not on PATH.</exception>
    public static int Spawn(SpawnRequest request)
    {
        var attributes = stackalloc byte[AttributeBytes];
        var actions = stackalloc byte[ActionBytes];
        _ = ProcessCalls.posix_spawnattr_init(attributes);
        _ = ProcessCalls.posix_spawn_file_actions_init(actions);
        var program = Utf8(request.Program);
        var directory = request.WorkingDirectory is { } path ? Utf8(path) : null;
        var arguments = Vector(request.Arguments);
        var environment = request.Environment is { } own ? Vector(own) : null;
        try
        {
            SetAttributes(attributes, request);
            if (directory is not null)
                _ = ProcessCalls.posix_spawn_file_actions_addchdir_np(actions, directory);
            Redirect(actions, request);
            int pid;
            var errno = ProcessCalls.posix_spawnp(
                &pid, program, actions, attributes, arguments, environment is null ? Environ() : environment);
            return errno == 0 ? pid : throw Errno.Fault(errno, "posix_spawn", request.Program);
        }
        finally
        {
            Free(arguments);
            Free(environment);
            NativeMemory.Free(directory);
            NativeMemory.Free(program);
            _ = ProcessCalls.posix_spawn_file_actions_destroy(actions);
            _ = ProcessCalls.posix_spawnattr_destroy(attributes);
            GC.KeepAlive(request);
        }
    }

    private static void SetAttributes(byte* attributes, SpawnRequest request)
    {
        var mask = stackalloc byte[Signals.MaskBytes];
        Signals.Fill(mask, [.. request.BlockedSignals]);
        _ = ProcessCalls.posix_spawnattr_setsigmask(attributes, mask);
        // The runtime ignores SIGPIPE, and an ignored signal stays ignored over exec.
        Signals.Fill(mask, [Signals.SIGPIPE]);
        _ = ProcessCalls.posix_spawnattr_setsigdefault(attributes, mask);
        var flags = ProcessCalls.POSIX_SPAWN_SETSIGMASK | ProcessCalls.POSIX_SPAWN_SETSIGDEF
            | (request.NewSession ? ProcessCalls.POSIX_SPAWN_SETSID : 0);
        _ = ProcessCalls.posix_spawnattr_setflags(attributes, (short)flags);
    }

    private static void Redirect(byte* actions, SpawnRequest request)
    {
        ReadOnlySpan<byte> none = "/dev/null\0"u8;
        ReadOnlySpan<SafeFileHandle?> standard = [request.Stdin, request.Stdout, request.Stderr];
        fixed (byte* nothing = none)
        {
            for (var target = 0; target < FirstInherited; target++)
            {
                if (standard[target] is { } file)
                    _ = ProcessCalls.posix_spawn_file_actions_adddup2(actions, (int)file.DangerousGetHandle(), target);
                else
                    _ = ProcessCalls.posix_spawn_file_actions_addopen(actions, target, nothing, target == 0 ? 0 : 1, 0);
            }
        }
        // dup2 onto itself clears close-on-exec too (glibc 2.29, as POSIX wants).
        for (var i = 0; i < request.Extras.Count; i++)
            _ = ProcessCalls.posix_spawn_file_actions_adddup2(actions, (int)request.Extras[i].DangerousGetHandle(), FirstInherited + i);
    }

    private static byte** Environ() => *(byte***)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "environ");

    private static byte* Utf8(string text)
    {
        var count = System.Text.Encoding.UTF8.GetByteCount(text);
        var bytes = (byte*)NativeMemory.Alloc((nuint)count + 1);
        System.Text.Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, count));
        bytes[count] = 0;
        return bytes;
    }

    private static byte** Vector(IReadOnlyList<string> texts)
    {
        var vector = (byte**)NativeMemory.AllocZeroed((nuint)texts.Count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < texts.Count; i++)
            vector[i] = Utf8(texts[i]);
        return vector;
    }

    private static void Free(byte** vector)
    {
        if (vector is null)
            return;
        for (var at = vector; *at is not null; at++)
            NativeMemory.Free(*at);
        NativeMemory.Free(vector);
    }
}
