using Runtime.Faults;
using Runtime.Linux.Users;
using Runtime.Tests.Support;
using Xunit;

namespace Runtime.Tests.Unit.Linux;

public sealed class UserDatabaseTests
{
    private static readonly UserDatabase Users = UserDatabase.Parse(
        """
        root:x:0:0:root:/root:/bin/sh
        # a comment
        app:x:1000:1001:App:/home/app:/bin/false
        short:x:7:8
        broken:x:seven:8::/:
        +nis::::::
        1000:x:55:55::/odd:
        """,
        """
        root:x:0:
        app:x:1001:
        disk:x:6:root,app
        wheel:x:10:app
        broken:x:ten:app
        """);

    [Theory]
    [InlineData("", "root", 0u, 0u, "/root")]
    [InlineData("app", "app", 1000u, 1001u, "/home/app")]
    [InlineData("short", "short", 7u, 8u, "/")]
    [InlineData("7", "short", 7u, 8u, "/")]
    [InlineData("4000", "", 4000u, 0u, "/")]
    [InlineData("4000:5000", "", 4000u, 5000u, "/")]
    [InlineData("app:disk", "app", 1000u, 6u, "/home/app")]
    [InlineData("4000:wheel", "", 4000u, 10u, "/")]
    [InlineData(":disk", "root", 0u, 6u, "/root")]
    [InlineData("1000", "1000", 55u, 55u, "/odd")] // a name wins over the same number
    public void Names_and_numbers_are_resolved(string spec, string name, uint uid, uint gid, string home)
    {
        var user = Users.Resolve(spec);
        Assert.Equal((name, uid, gid, home), (user.Name, user.Uid, user.Gid, user.Home));
    }

    [Fact]
    public void Additional_groups_are_those_that_name_the_user_without_the_primary_one()
    {
        Assert.Equal([6u, 10u], Users.Resolve("app").AdditionalGids);
        Assert.Equal([10u], Users.Resolve("app:disk").AdditionalGids);
        Assert.Empty(Users.Resolve("4000").AdditionalGids);
    }

    [Theory]
    [InlineData("nobody", "user.unknown")]
    [InlineData("app:nogroup", "user.unknown-group")]
    [InlineData("4294967295", "user.malformed")]
    [InlineData("-1", "user.malformed")]
    [InlineData("99999999999", "user.malformed")]
    [InlineData("app:", "user.malformed")]
    [InlineData("app:a:b", "user.malformed")]
    [InlineData("app:-1", "user.malformed")]
    public void What_cannot_be_resolved_is_refused(string spec, string code) =>
        Assert.Equal(code, Assert.Throws<FaultException>(() => Users.Resolve(spec)).Fault.Code);

    [Fact]
    public void The_files_are_read_inside_of_the_root_only()
    {
        using var place = new TempDirectory();
        Directory.CreateDirectory(place["root/etc"]);
        File.WriteAllText(place["passwd"], "outside:x:1:1::/:");
        File.CreateSymbolicLink(place["root/etc/passwd"], place["passwd"]);
        Assert.Equal("user.unknown", Assert.Throws<FaultException>(() => UserDatabase.Read(place["root"]).Resolve("outside")).Fault.Code);
        File.WriteAllText(place["root/users"], "inside:x:2:2::/:");
        File.Delete(place["root/etc/passwd"]);
        File.CreateSymbolicLink(place["root/etc/passwd"], "/users");
        Assert.Equal(2u, UserDatabase.Read(place["root"]).Resolve("inside").Uid);
    }

    [Fact]
    public void A_database_that_is_too_big_or_no_file_is_a_fault_and_a_missing_one_is_empty()
    {
        using var place = new TempDirectory();
        Assert.Equal(5u, UserDatabase.Read(place.Path).Resolve("5").Uid);
        Directory.CreateDirectory(place["etc/group"]);
        Assert.Equal("file.not-regular", Assert.Throws<FaultException>(() => UserDatabase.Read(place.Path)).Fault.Code);
        Directory.Delete(place["etc/group"]);
        File.WriteAllBytes(place["etc/passwd"], new byte[UserDatabase.MaxBytes + 1]);
        Assert.Equal("file.too-big", Assert.Throws<FaultException>(() => UserDatabase.Read(place.Path)).Fault.Code);
    }
}
