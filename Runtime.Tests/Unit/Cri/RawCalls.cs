using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Runtime.Cri.V1;
using Xunit;

namespace Runtime.Tests.Unit.Cri;

/// <summary>Every call of CRI that ends by itself, with a request of any bytes.</summary>
internal sealed class RawCalls(GrpcChannel channel)
{
    private static readonly Marshaller<byte[]> AsItIs = Marshallers.Create(bytes => bytes, bytes => bytes);

    /// <summary>Its stream ends with the caller.</summary>
    private static readonly ImmutableHashSet<string> Endless = ["GetContainerEvents"];

    public static ImmutableArray<MethodDescriptor> Methods { get; } =
    [
        .. VersionRequest.Descriptor.File.Services.SelectMany(service => service.Methods).Where(method => !Endless.Contains(method.Name)),
    ];

    public Task<(StatusCode Status, string Detail)> CallAsync(MethodDescriptor method, IMessage request) =>
        CallAsync(method, request.ToByteArray());

    public async Task<(StatusCode Status, string Detail)> CallAsync(MethodDescriptor method, byte[] request)
    {
        var options = new CallOptions(deadline: DateTime.UtcNow.AddSeconds(20), cancellationToken: TestContext.Current.CancellationToken);
        var invoker = channel.CreateCallInvoker();
        try
        {
            if (method.IsServerStreaming)
            {
                using var stream = invoker.AsyncServerStreamingCall(Call(method, MethodType.ServerStreaming), null, options, request);
                while (await stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
                {
                }
            }
            else
            {
                await invoker.AsyncUnaryCall(Call(method, MethodType.Unary), null, options, request);
            }
            return (StatusCode.OK, "");
        }
        catch (RpcException answered)
        {
            return (answered.StatusCode, answered.Status.Detail);
        }
    }

    private static Method<byte[], byte[]> Call(MethodDescriptor method, MethodType type) =>
        new(type, method.Service.FullName, method.Name, AsItIs, AsItIs);
}
