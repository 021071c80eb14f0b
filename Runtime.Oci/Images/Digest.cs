using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Runtime.Faults;

namespace Runtime.Oci.Images;

/// <summary>
/// Content address <c>algorithm:hex</c> (OCI image spec 1.1, descriptor.md): <c>sha256</c> with 64 or <c>sha512</c> with 128
/// lower-case digits. The default value is no digest: <see cref="IsEmpty"/>.
/// </summary>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest
{
    internal static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly string? _text;

    private Digest(string text) => _text = text;

    /// <summary>Of no bytes, by sha256.</summary>
    public static Digest OfNothing { get; } = Of([]);

    public bool IsEmpty => _text is null;

    public DigestAlgorithm Algorithm => Text.StartsWith("sha512:", StringComparison.Ordinal)
        ? DigestAlgorithm.Sha512
        : DigestAlgorithm.Sha256;

    /// <summary>The digits after the colon: the file name in a content store and in an OCI layout.</summary>
    public string Hex => Text[(Text.IndexOf(':', StringComparison.Ordinal) + 1)..];

    /// <summary><c>sha256</c> or <c>sha512</c>: the directory in a content store.</summary>
    public string AlgorithmName => Text[..Text.IndexOf(':', StringComparison.Ordinal)];

    private string Text => _text ?? throw new InvalidOperationException("The digest is empty.");

    /// <exception cref="FaultException">InvalidArgument <c>digest.malformed</c>.</exception>
    public static Digest Parse(string text) => TryParse(text, out var digest)
        ? digest
        : throw new FaultException(
            FaultKind.InvalidArgument, "digest.malformed",
            $"\"{Shown.Of(text)}\" is no digest: sha256: with 64 or sha512: with 128 lower-case hexadecimal digits is needed.");

    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        digest = default;
        if (text is null) return false;
        var length = text.StartsWith("sha256:", StringComparison.Ordinal) ? 64
            : text.StartsWith("sha512:", StringComparison.Ordinal) ? 128
            : 0;
        if (length == 0 || text.Length != 7 + length || text.AsSpan(7).ContainsAnyExcept(HexDigits)) return false;
        digest = new Digest(text);
        return true;
    }

    /// <summary>The sha256 of <paramref name="bytes"/>.</summary>
    public static Digest Of(ReadOnlySpan<byte> bytes) => Of(DigestAlgorithm.Sha256, bytes);

    public static Digest Of(DigestAlgorithm algorithm, ReadOnlySpan<byte> bytes) => algorithm is DigestAlgorithm.Sha512
        ? FromHash(algorithm, SHA512.HashData(bytes))
        : FromHash(algorithm, SHA256.HashData(bytes));

    /// <summary>True when the bytes have this digest.</summary>
    public bool Matches(ReadOnlySpan<byte> bytes) => Of(Algorithm, bytes) == this;

    public override string ToString() => _text ?? "";

    internal static Digest FromHash(DigestAlgorithm algorithm, ReadOnlySpan<byte> hash) =>
        new((algorithm is DigestAlgorithm.Sha512 ? "sha512:" : "sha256:") + Convert.ToHexStringLower(hash));
}
