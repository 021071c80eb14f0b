using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Runtime.Faults;
using Runtime.Linux.Users;
using Runtime.Oci.Images;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Images;

/// <summary>Anybody can push anything: documents of an image are read, or refused as malformed.</summary>
public sealed class ImageFuzzTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static readonly string Config = """
        {"created":"2026-01-02T03:04:05Z","architecture":"amd64","os":"linux","variant":"v2","author":"a",
         "config":{"User":"1000:50","Env":["PATH=/bin","A=b"],"Entrypoint":["/e"],"Cmd":["-x"],"WorkingDir":"/w",
                   "Labels":{"a":"b"},"StopSignal":"SIGTERM","Volumes":{"/data":{}},"ExposedPorts":{"80/tcp":{}}},
         "rootfs":{"type":"layers","diff_ids":["sha256:HEX"]},
         "history":[{"created":"2026-01-02T03:04:05Z","created_by":"x","empty_layer":true},{"created_by":"y"}]}
        """.Replace("HEX", Hex, StringComparison.Ordinal);

    private static readonly string Manifest = """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
         "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:HEX","size":7},
         "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:HEX","size":9,"urls":["https://x"],
                    "annotations":{"a":"b"}}],
         "subject":{"mediaType":"m","digest":"sha256:HEX","size":1},"annotations":{"a":"b"}}
        """.Replace("HEX", Hex, StringComparison.Ordinal);

    private static readonly string Index = """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
         "manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:HEX","size":7,
                       "platform":{"architecture":"arm64","os":"linux","variant":"v8","os.features":["f"]}},
                      {"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:HEX","size":7}]}
        """.Replace("HEX", Hex, StringComparison.Ordinal);

    [Fact]
    public void A_config_is_read_or_malformed_and_what_is_read_can_be_used() => Check(Config, bytes =>
    {
        var config = ImageConfig.Parse(bytes);
        config.ToBytes();
        _ = config.Platform;
        _ = ChainId.Of(config.Rootfs.DiffIds);
        if (config.Config?.User is { } user) UserDatabase.Parse("root:x:0:0::/:\n", "").Resolve(user);
    });

    [Fact]
    public void A_manifest_or_index_is_read_or_malformed()
    {
        Check(Manifest, Read);
        Check(Index, Read);

        static void Read(byte[] bytes)
        {
            if (ManifestReader.Read(bytes) is ImageIndex index) _ = new PlatformMatcher(Platform.Host).Select(index).ToList();
        }
    }

    private static void Check(string document, Action<byte[]> read)
    {
        read(Encoding.UTF8.GetBytes(document));
        Gen.Int.Sample(
            seed =>
            {
                var random = new Random(seed);
                var bytes = random.Next(3) == 0
                    ? Fuzz.Damage(Encoding.UTF8.GetBytes(document), random)
                    : Encoding.UTF8.GetBytes(Changed(JsonNode.Parse(document)!, random).ToJsonString());
                try
                {
                    read(bytes);
                }
                catch (FaultException refused) when (refused.Fault.Kind is FaultKind.InvalidArgument or FaultKind.NotFound or FaultKind.Unimplemented)
                {
                    Assert.True(refused.Message.Length < 2048, "a refusal repeats what it refuses");
                }
            },
            time: Math.Max(1, Fuzz.Seconds / 3));
    }

    /// <summary>The document with one to three of its values replaced by others.</summary>
    private static JsonNode Changed(JsonNode root, Random random)
    {
        for (var changes = random.Next(1, 4); changes > 0; changes--)
        {
            var at = root;
            while (random.Next(4) != 0)
            {
                var below = at switch
                {
                    JsonObject { Count: > 0 } table => table.ElementAt(random.Next(table.Count)).Value,
                    JsonArray { Count: > 0 } list => list[random.Next(list.Count)],
                    _ => null,
                };
                if (below is null) break;
                at = below;
            }
            if (at.Parent is null) continue;
            at.ReplaceWith(Other(random));
        }
        return root;
    }

    private static JsonNode? Other(Random random) => random.Next(9) switch
    {
        0 => null,
        1 => JsonValue.Create(random.Next(2) == 0),
        2 => JsonValue.Create(random.NextInt64() * (random.Next(2) == 0 ? 1 : -1)),
        3 => JsonValue.Create(1e300),
        4 => new JsonArray([.. Enumerable.Range(0, random.Next(40)).Select(_ => (JsonNode?)Fuzz.Text(random))]),
        5 => new JsonObject { ["a"] = Fuzz.Text(random), [""] = null },
        6 => Deep(random.Next(1, 100)),
        _ => JsonValue.Create(Fuzz.Text(random)),
    };

    private static JsonNode Deep(int levels)
    {
        JsonNode node = new JsonArray();
        for (; levels > 0; levels--) node = new JsonArray(node);
        return node;
    }
}
