using Grpc.Core;
using Runtime.Api.Edge;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Api;

public sealed class FaultStatusTests
{
    [Theory]
    [InlineData(FaultKind.Unknown, StatusCode.Unknown)]
    [InlineData(FaultKind.InvalidArgument, StatusCode.InvalidArgument)]
    [InlineData(FaultKind.NotFound, StatusCode.NotFound)]
    [InlineData(FaultKind.AlreadyExists, StatusCode.AlreadyExists)]
    [InlineData(FaultKind.FailedPrecondition, StatusCode.FailedPrecondition)]
    [InlineData(FaultKind.Unavailable, StatusCode.Unavailable)]
    [InlineData(FaultKind.DeadlineExceeded, StatusCode.DeadlineExceeded)]
    [InlineData(FaultKind.Cancelled, StatusCode.Cancelled)]
    [InlineData(FaultKind.PermissionDenied, StatusCode.PermissionDenied)]
    [InlineData(FaultKind.Unauthenticated, StatusCode.Unauthenticated)]
    [InlineData(FaultKind.ResourceExhausted, StatusCode.ResourceExhausted)]
    [InlineData(FaultKind.OutOfRange, StatusCode.OutOfRange)]
    [InlineData(FaultKind.Aborted, StatusCode.Aborted)]
    [InlineData(FaultKind.Unimplemented, StatusCode.Unimplemented)]
    [InlineData(FaultKind.DataLoss, StatusCode.DataLoss)]
    [InlineData(FaultKind.Internal, StatusCode.Internal)]
    public void A_kind_of_fault_is_one_status(FaultKind kind, StatusCode status) => Assert.Equal(status, FaultStatus.CodeOf(kind));

    [Fact]
    public void No_two_kinds_share_a_status() =>
        Assert.Equal(Enum.GetValues<FaultKind>().Length, Enum.GetValues<FaultKind>().Select(FaultStatus.CodeOf).Distinct().Count());

    [Theory]
    [InlineData('x', 4096)]
    [InlineData('\u4e2d', 4096)]
    public void A_message_that_no_header_could_hold_is_cut(char letter, int left)
    {
        var detail = FaultStatus.ToRpcException(new RuntimeFault(FaultKind.NotFound, "x", new string(letter, 100_000))).Status.Detail;

        Assert.Equal(new string(letter, left) + "...", detail);
        Assert.True(detail.Length * 9 < 64 * 1024, "percent-encoded it is a header of more than 64 KiB");
    }

    [Fact]
    public void The_code_travels_as_a_trailer()
    {
        var thrown = FaultStatus.ToRpcException(new RuntimeFault(FaultKind.NotFound, "container.not-found", "no c1"));

        Assert.Equal("no c1", thrown.Status.Detail);
        Assert.Equal("container.not-found", thrown.Trailers.GetValue(FaultStatus.CodeTrailer));
    }

    [Theory]
    [InlineData("/runtime.v1.RuntimeService/RunPodSandbox", "RunPodSandbox")]
    [InlineData("/runtime.v1.ImageService/PullImage", "PullImage")]
    [InlineData("/containerd.services.containers.v1.Containers/Get", "Containers.Get")]
    [InlineData("/actord.v1.Journal/History", "Journal.History")]
    public void An_operation_is_named_by_its_rpc(string method, string operation) =>
        Assert.Equal(operation, OperationMetrics.OperationOf(method));

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36")]
    [InlineData("user/image", "docker.io/user/image:latest")]
    [InlineData("localhost/image", "localhost/image:latest")]
    [InlineData("localhost:5000/a/b:x", "localhost:5000/a/b:x")]
    [InlineData("ghcr.io/a/b", "ghcr.io/a/b:latest")]
    public void A_short_image_name_is_filled_in(string written, string stored) => Assert.Equal(stored, ImageNames.Normalise(written));

    [Theory]
    [InlineData("")]
    [InlineData("UPPER")]
    [InlineData("a b")]
    [InlineData("http://a/b")]
    [InlineData("a@sha256:123")]
    [InlineData("a:")]
    public void What_is_no_reference_is_an_invalid_argument(string written) =>
        Assert.Equal(FaultKind.InvalidArgument, Assert.Throws<FaultException>(() => ImageNames.Normalise(written)).Fault.Kind);
}
