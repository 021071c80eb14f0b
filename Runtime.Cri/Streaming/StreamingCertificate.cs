using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Runtime.Faults;

namespace Runtime.Cri.Streaming;

/// <summary>The certificate that streams are served with.</summary>
internal static class StreamingCertificate
{
    /// <summary>A daemon may run for long, and the key never leaves it.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    /// <exception cref="FaultException">InvalidArgument: the files are no pair.</exception>
    public static X509Certificate2 Of(StreamingOptions options, IPAddress address, DateTimeOffset now)
    {
        if (options.CertificateFile.Length == 0) return SelfSigned(address, now);
        try
        {
            return X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile);
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new FaultException(FaultKind.InvalidArgument, "streaming.bad-certificate",
                $"The certificate {options.CertificateFile} with the key {options.KeyFile} cannot be used: {wrong.Message}");
        }
    }

    private static X509Certificate2 SelfSigned(IPAddress address, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Environment.MachineName}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Environment.MachineName);
        names.AddDnsName("localhost");
        names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)); // server
        return request.CreateSelfSigned(now.AddHours(-1), now + Lifetime);
    }
}
