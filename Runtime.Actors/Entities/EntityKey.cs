using Runtime.Actors.Namespaces;

namespace Runtime.Actors.Entities;

/// <summary>The form of persistence ids: <c>kind/namespace/id</c>. The id may itself hold slashes (image names).</summary>
public static class EntityKey
{
    public static string PersistenceId(string kind, NamespaceName space, string id) => $"{kind}/{space}/{id}";

    /// <summary>The start of every persistence id of one kind in one namespace.</summary>
    public static string Prefix(string kind, NamespaceName space) => $"{kind}/{space}/";
}
