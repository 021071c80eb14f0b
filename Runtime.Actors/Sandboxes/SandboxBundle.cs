using System.Text.Json.Nodes;
using Runtime.Linux.Files;
using Runtime.Linux.Mounts;

namespace Runtime.Actors.Sandboxes;

/// <summary>
/// The OCI bundle of a pod without a pause process. Its config.json is not for an OCI runtime: shims take their start
/// options from it, and cAdvisor and <c>crictl inspectp</c> read its annotations.
/// </summary>
internal static class SandboxBundle
{
    public static void Write(SandboxPlan plan)
    {
        DurableFiles.MakePrivateDirectory(plan.Bundle);
        Directory.CreateDirectory(Path.Combine(plan.Bundle, "rootfs"));
        File.WriteAllText(Path.Combine(plan.Bundle, "config.json"), Spec(plan).ToJsonString());
    }

    public static void Delete(SandboxPlan plan)
    {
        Mounter.UnmountTree(plan.Bundle, lazy: true);
        DirectoryTree.Delete(plan.Bundle);
    }

    private static JsonObject Spec(SandboxPlan plan)
    {
        var annotations = new JsonObject(
            plan.Config.Annotations.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value)))
        {
            ["io.kubernetes.cri.container-type"] = "sandbox",
            ["io.kubernetes.cri.sandbox-id"] = plan.Id,
            ["io.kubernetes.cri.sandbox-name"] = plan.Config.Name,
            ["io.kubernetes.cri.sandbox-namespace"] = plan.Config.PodNamespace,
            ["io.kubernetes.cri.sandbox-uid"] = plan.Config.Uid,
            ["io.kubernetes.cri.sandbox-log-directory"] = plan.Config.LogDirectory,
        };
        var namespaces = new List<JsonNode?> { Namespace("mount", "") };
        if (plan.Config.Security.Pid != NamespaceMode.Node) namespaces.Add(Namespace("pid", ""));
        if (plan.HasNetwork) namespaces.Add(Namespace("network", plan.NetworkNamespacePath));
        if (plan.IpcNamespacePath.Length > 0) namespaces.Add(Namespace("ipc", plan.IpcNamespacePath));
        if (plan.UtsNamespacePath.Length > 0) namespaces.Add(Namespace("uts", plan.UtsNamespacePath));
        if (plan.UserNamespacePath is { } user) namespaces.Add(Namespace("user", user));
        return new JsonObject
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = new JsonObject
            {
                ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
                ["args"] = new JsonArray("/pause"),
                ["cwd"] = "/",
            },
            ["root"] = new JsonObject { ["path"] = "rootfs", ["readonly"] = true },
            ["hostname"] = plan.UtsNamespacePath.Length > 0 ? plan.Hostname : "",
            ["annotations"] = annotations,
            ["linux"] = new JsonObject { ["cgroupsPath"] = plan.CgroupPath, ["namespaces"] = new JsonArray([.. namespaces]) },
        };
    }

    private static JsonObject Namespace(string type, string path)
    {
        var json = new JsonObject { ["type"] = type };
        if (path.Length > 0) json["path"] = path;
        return json;
    }
}
