using System.Security.Cryptography;

namespace Runtime.Oci.Images;

/// <summary>Hashes bytes as they pass by. IncrementalHash uses the processor's SHA instructions. Not thread-safe.</summary>
public sealed class DigestHasher(DigestAlgorithm algorithm = DigestAlgorithm.Sha256) : IDisposable
{
    private const int MaxHashBytes = 64;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(
        algorithm is DigestAlgorithm.Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);

    /// <summary>Bytes seen since the start or the last <see cref="Finish"/>.</summary>
    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>The digest so far; appending goes on.</summary>
    public Digest Current()
    {
        Span<byte> hash = stackalloc byte[MaxHashBytes];
        return Digest.FromHash(algorithm, hash[.._hash.GetCurrentHash(hash)]);
    }

    /// <summary>The digest of all bytes; the hasher starts anew.</summary>
    public Digest Finish()
    {
        Span<byte> hash = stackalloc byte[MaxHashBytes];
        Length = 0;
        return Digest.FromHash(algorithm, hash[.._hash.GetHashAndReset(hash)]);
    }

    public void Dispose() => _hash.Dispose();
}
