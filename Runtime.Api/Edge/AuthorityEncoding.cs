using System.Text;

namespace Runtime.Api.Edge;

/// <summary>
/// Reads the <c>:authority</c> of a request, in which some clients name a unix socket by its path, bare or percent-encoded.
/// Kestrel resets such a stream, because the path is no host name; so characters that no host has are read as '-'.
/// </summary>
/// <remarks>The host is decided by the socket that a client connected to: nothing here reads the name.</remarks>
internal sealed class AuthorityEncoding : Encoding
{
    public static readonly AuthorityEncoding Instance = new();

    public override int GetByteCount(char[] chars, int index, int count) => count;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetCharCount(byte[] bytes, int index, int count) => count;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        for (var i = 0; i < byteCount; i++)
        {
            var c = (char)bytes[byteIndex + i];
            chars[charIndex + i] = char.IsAsciiLetterOrDigit(c) || c == '.' ? c : '-';
        }
        return byteCount;
    }

    public override int GetMaxByteCount(int charCount) => charCount;

    public override int GetMaxCharCount(int byteCount) => byteCount;
}
