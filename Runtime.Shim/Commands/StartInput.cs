using Runtime.Faults;
using Runtime.Linux.Files;
using Runtime.Linux.Io;
using Runtime.Ttrpc.Bootstrap;
using Runtime.Ttrpc.Wire;

namespace Runtime.Shim.Commands;

/// <summary>Standard input of <c>start</c>: BootstrapParams (containerd 2.3), options in an Any, or nothing.</summary>
/// <param name="SocketDirectory">Null: not said.</param>
internal sealed record StartInput(bool IsBootstrap, string? SocketDirectory, RuncOptionsMessage Options)
{
    private const int MaxBytes = 1024 * 1024;
    private const string OptionsType = "containerd.runc.v1.Options";

    public static StartInput Read(string id)
    {
        using var stdin = RawIo.Inherited(0);
        // A person's terminal has nothing to say.
        var isTerminal = (FileStatus.Of(stdin).Mode & FileConstants.S_IFMT) == FileConstants.S_IFCHR;
        return isTerminal ? new(false, null, new()) : Parse(Descriptors.ReadToEnd(stdin, MaxBytes, "standard input"), id);
    }

    /// <summary>Both messages begin with a string: BootstrapParams with the instance's id, an Any with its type.</summary>
    internal static StartInput Parse(ReadOnlySpan<byte> input, string id)
    {
        if (input.IsEmpty)
            return new(false, null, new());
        try
        {
            var any = WireAny.Read(new WireReader(input));
            if (any.TypeUrl.Length > 0 && any.TypeUrl != id)
                return new(false, null, OptionsOf(any));
            var bootstrap = BootstrapParams.Read(new WireReader(input));
            var options = new RuncOptionsMessage();
            foreach (var extension in bootstrap.Extensions)
            {
                if (extension.TypeName == OptionsType)
                    options = OptionsOf(extension);
            }
            return new(true, bootstrap.SocketDir.Length > 0 ? bootstrap.SocketDir : null, options);
        }
        catch (FaultException malformed) when (malformed.Fault.Code == "wire.malformed")
        {
            throw new FaultException(
                FaultKind.InvalidArgument, "shim.bad-input", "Standard input holds neither BootstrapParams nor options.", malformed);
        }
    }

    private static RuncOptionsMessage OptionsOf(WireAny any) =>
        any.TypeName == OptionsType ? RuncOptionsMessage.Read(new WireReader(any.Value.Span)) : new();
}
