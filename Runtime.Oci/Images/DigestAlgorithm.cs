namespace Runtime.Oci.Images;

/// <summary>Algorithms that the OCI image spec 1.1 (descriptor.md) registers and that we verify.</summary>
public enum DigestAlgorithm
{
    Sha256,
    Sha512,
}
