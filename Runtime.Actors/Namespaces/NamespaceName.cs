using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Runtime.Faults;

namespace Runtime.Actors.Namespaces;

/// <summary>A containerd namespace, which separates the objects of one client from another's. CRI lives in <c>k8s.io</c>.</summary>
public readonly partial record struct NamespaceName
{
    /// <summary>Sized as containerd's identifiers are, so that a name can also be a directory.</summary>
    public const int LengthMax = 76;

    public static readonly NamespaceName Kubernetes = new("k8s.io");

    [JsonConstructor]
    public NamespaceName(string value) => Value = value;

    public string Value { get; }

    /// <summary>Parses a name that came from outside.</summary>
    /// <exception cref="FaultException">InvalidArgument, when it is not an identifier.</exception>
    public static NamespaceName Parse(string value) =>
        IsIdentifier(value)
            ? new(value)
            : throw new FaultException(FaultKind.InvalidArgument, "namespace.invalid-name",
                $"Namespace \"{value}\" must be 1 to {LengthMax} letters and digits, joined by '.', '-' or '_'.");

    /// <summary>True for what containerd takes as a name of a namespace, a container or a lease.</summary>
    public static bool IsIdentifier(string value) => value.Length is > 0 and <= LengthMax && Identifier().IsMatch(value);

    public override string ToString() => Value;

    [GeneratedRegex("^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$")]
    private static partial Regex Identifier();
}
