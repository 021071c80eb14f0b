namespace Runtime.Cri.Mapping;

internal static partial class InfoJson
{
    /// <summary>A container's status as containerd keeps it in a checkpoint: the proto file's names, numbers for enums and times.</summary>
    public static byte[] OfStatus(V1.ContainerStatus status) => System.Text.Encoding.UTF8.GetBytes(Write(json =>
    {
        json.WriteString("id", status.Id);
        json.WriteStartObject("metadata");
        json.WriteString("name", status.Metadata.Name);
        json.WriteNumber("attempt", status.Metadata.Attempt);
        json.WriteEndObject();
        json.WriteNumber("state", (int)status.State);
        json.WriteNumber("created_at", status.CreatedAt);
        json.WriteNumber("started_at", status.StartedAt);
        json.WriteStartObject("image");
        json.WriteString("image", status.Image.Image);
        json.WriteString("user_specified_image", status.Image.UserSpecifiedImage);
        json.WriteEndObject();
        json.WriteString("image_ref", status.ImageRef);
        json.WriteString("image_id", status.ImageId);
        json.WriteString("log_path", status.LogPath);
        Map(json, "labels", status.Labels);
        Map(json, "annotations", status.Annotations);
        json.WriteStartArray("mounts");
        foreach (var mount in status.Mounts)
        {
            json.WriteStartObject();
            json.WriteString("container_path", mount.ContainerPath);
            json.WriteString("host_path", mount.HostPath);
            json.WriteBoolean("readonly", mount.Readonly);
            json.WriteBoolean("selinux_relabel", mount.SelinuxRelabel);
            json.WriteNumber("propagation", (int)mount.Propagation);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }));
}
