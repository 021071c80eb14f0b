using Runtime.Host.Configuration;
using Xunit;

namespace Runtime.Tests.Unit.Configuration;

public sealed class ConfigTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("actord-config-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Defaults_stand_where_nothing_is_said()
    {
        var config = ConfigLoader.Parse("version = 4\n", "a.toml").Config;

        Assert.Equal("/var/lib/actord", config.Root);
        Assert.Equal("/run/actord/actord.sock", config.Grpc.Address);
        Assert.Equal("/run/actord/actord.sock.ttrpc", config.Ttrpc.Address);
        Assert.Equal("runc", config.Runtimes.DefaultName);
        Assert.Equal("", config.Cni.ConfTemplate);
        Assert.Equal(16384, config.Containers.LogLineMax);
        Assert.Equal(TimeSpan.FromMinutes(5), config.Images.PullProgressTimeout);
    }

    [Fact]
    public void The_documented_defaults_are_a_configuration_and_mean_the_same_as_an_empty_one()
    {
        var written = ConfigLoader.Parse(ConfigWriter.Defaults(), "default.toml");

        Assert.Empty(written.Warnings);
        Assert.Equal(
            ConfigWriter.Effective(ConfigLoader.Parse("version = 4\n", "a.toml").Tree),
            ConfigWriter.Effective(written.Tree));
    }

    [Theory]
    [InlineData("""
        root = "/var/lib/c"
        [grpc]
          address = "/run/c/c.sock"
          uid = 7
          gid = 8
        [plugins.cri]
          sandbox_image = "pause:1"
          max_container_log_line_size = 1024
          [plugins.cri.containerd]
            snapshotter = "native"
            default_runtime_name = "crun"
            [plugins.cri.containerd.runtimes.crun]
              runtime_type = "io.containerd.runc.v2"
              [plugins.cri.containerd.runtimes.crun.options]
                BinaryName = "/usr/bin/crun"
          [plugins.cri.cni]
            bin_dir = "/opt/x"
        """)]
    [InlineData("""
        version = 2
        root = "/var/lib/c"
        [grpc]
          address = "/run/c/c.sock"
          uid = 7
          gid = 8
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "pause:1"
          max_container_log_line_size = 1024
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "native"
            default_runtime_name = "crun"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun.options]
              BinaryName = "/usr/bin/crun"
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/opt/x"
        """)]
    [InlineData("""
        version = 3
        root = "/var/lib/c"
        [grpc]
          address = "/run/c/c.sock"
          uid = 7
          gid = 8
        [plugins."io.containerd.cri.v1.images"]
          snapshotter = "native"
          pinned_images = { sandbox = "pause:1" }
        [plugins."io.containerd.cri.v1.runtime"]
          max_container_log_line_size = 1024
          containerd.default_runtime_name = "crun"
          containerd.runtimes.crun.options.BinaryName = "/usr/bin/crun"
          cni.bin_dirs = ["/opt/x"]
        """)]
    [InlineData("""
        version = 4
        root = "/var/lib/c"
        [plugins."io.containerd.server.v1.grpc"]
          address = "/run/c/c.sock"
          uid = 7
          gid = 8
        [plugins."io.containerd.cri.v1.images"]
          snapshotter = "native"
          pinned_images.sandbox = "pause:1"
        [plugins."io.containerd.cri.v1.runtime"]
          max_container_log_line_size = 1024
          containerd.default_runtime_name = "crun"
          containerd.runtimes.crun.options.BinaryName = "/usr/bin/crun"
          cni.bin_dirs = ["/opt/x"]
        """)]
    public void Every_version_says_the_same_thing(string text)
    {
        var loaded = ConfigLoader.Parse(text, "c.toml");
        var config = loaded.Config;

        Assert.Empty(loaded.Warnings);
        Assert.Equal("/var/lib/c", config.Root);
        Assert.Equal(new SocketConfig("/run/c/c.sock", 7, 8), config.Grpc);
        Assert.Equal("pause:1", config.Images.SandboxImage);
        Assert.Equal("native", config.Images.Snapshotter);
        Assert.Equal(1024, config.Containers.LogLineMax);
        Assert.Equal("/usr/bin/crun", config.Runtimes.Resolve("").Options.BinaryName);
        Assert.Equal(["/opt/x"], config.Cni.BinDirs);
    }

    [Fact]
    public void An_unknown_key_is_a_warning_with_its_place_and_the_nearest_key()
    {
        var warning = Assert.Single(ConfigLoader.Parse("version = 2\n\n  ooom_score = 3\n", "x.toml").Warnings);

        Assert.Equal("x.toml:3:3: warning: ooom_score is not known; did you mean oom_score?", warning.ToString());
    }

    [Fact]
    public void A_wrong_type_is_an_error_with_its_place()
    {
        var wrong = Assert.Throws<ConfigException>(() =>
            ConfigLoader.Parse("version = 2\n[grpc]\nuid = \"root\"\naddress = 5\n", "x.toml"));

        Assert.Contains(wrong.Findings, finding => finding.ToString() ==
            "x.toml:3:1: error: plugins.\"io.containerd.server.v1.grpc\".uid must be a whole number, not the text \"root\".");
        Assert.Contains(wrong.Findings, finding => finding.At.Line == 4);
    }

    [Theory]
    [InlineData("version = 9\n", "version must be a number from 1 to 4", 1)]
    [InlineData("version = 2\nroot = \"x\n", "", 2)]
    [InlineData("version = 4\n[journal]\nsynchronous = \"maybe\"\n", "must be one of normal, full", 3)]
    [InlineData("version = 4\nroot = \"relative\"\n", "must be an absolute path", 2)]
    [InlineData("version = 4\n[journal]\nretention = \"5 fortnights\"\n", "a duration such as", 3)]
    [InlineData("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\ndefault_runtime_name = \"kata\"\n", "only runc are configured", 3)]
    public void What_cannot_be_used_says_where_and_why(string text, string why, int line)
    {
        var wrong = Assert.Throws<ConfigException>(() => ConfigLoader.Parse(text, "x.toml"));

        Assert.Contains(wrong.Findings, finding => finding.At.Line == line && finding.Message.Contains(why, StringComparison.Ordinal));
    }

    [Fact]
    public void A_key_that_containerd_has_and_actord_does_not_use_is_only_named()
    {
        var warning = Assert.Single(ConfigLoader.Parse("version = 2\n[timeouts]\n\"io.containerd.timeout.shim.load\" = \"5s\"\n", "x.toml").Warnings);

        Assert.Contains("no effect", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Imports_are_read_in_order_and_later_values_win()
    {
        Write("config.toml", "version = 2\nimports = [\"conf.d/*.toml\"]\nroot = \"/a\"\n[debug]\nlevel = \"debug\"\n");
        Directory.CreateDirectory(Path.Combine(_directory.FullName, "conf.d"));
        Write("conf.d/10.toml", "version = 4\nroot = \"/b\"\n");
        Write("conf.d/20.toml", "version = 2\nroot = \"/c\"\n[grpc]\nuid = 3\n");

        var config = ConfigLoader.Load(Path.Combine(_directory.FullName, "config.toml")).Config;

        Assert.Equal("/c", config.Root);
        Assert.Equal("debug", config.LogLevel);
        Assert.Equal(3, config.Grpc.Uid);
    }

    [Fact]
    public void A_file_that_is_not_there_is_an_error_that_names_it()
    {
        var wrong = Assert.Throws<ConfigException>(() => ConfigLoader.Load("/nonexistent/actord.toml"));

        Assert.Contains("/nonexistent/actord.toml", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dump_shows_what_is_in_effect_and_can_be_loaded_again()
    {
        Write("config.toml", "version = 2\nroot = \"/a\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata]\nruntime_type = \"io.containerd.kata.v2\"\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\ndefault_runtime_name = \"kata\"\n");
        var output = new StringWriter();

        var exit = ConfigCommand.Run("dump", Path.Combine(_directory.FullName, "config.toml"), output, TextWriter.Null);

        Assert.Equal(0, exit);
        var again = ConfigLoader.Parse(output.ToString(), "dump").Config;
        Assert.Equal("/a", again.Root);
        Assert.Equal("io.containerd.kata.v2", again.Runtimes.Resolve("").RuntimeType);
        Assert.Equal(["kata"], again.Runtimes.ByName.Keys);
    }

    [Theory]
    [InlineData("check", 0)]
    [InlineData("default", 0)]
    [InlineData("nonsense", 2)]
    public void Verbs_end_with_the_right_code(string verb, int code)
    {
        Write("config.toml", "version = 4\n");

        Assert.Equal(code, ConfigCommand.Run(verb, Path.Combine(_directory.FullName, "config.toml"), TextWriter.Null, TextWriter.Null));
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_directory.FullName, name), text);
}
