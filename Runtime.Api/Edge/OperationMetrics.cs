using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Runtime.Api.Edge;

/// <summary>
/// Latency and errors of the gRPC operations. The label <c>operation_type</c> is the RPC's name for CRI
/// (<c>RunPodSandbox</c>), and service and RPC for the others (<c>Containers.Get</c>).
/// </summary>
public sealed class OperationMetrics
{
    public const string MeterName = "actord.grpc";

    public const string LatencyName = "container_runtime_operations_latency_seconds";

    public const string ErrorsName = "container_runtime_operations_errors_total";

    // From a read of memory (0.2 ms) to a pull of minutes.
    private static readonly double[] Buckets =
        [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

    private readonly Histogram<double> _latency;
    private readonly Counter<long> _errors;

    // Bounded: only methods that are routed to a service come here.
    private readonly ConcurrentDictionary<string, KeyValuePair<string, object?>> _labels = new();

    public OperationMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _latency = meter.CreateHistogram(
            LatencyName, "s", "Time that unary operations of the gRPC services took.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });
        _errors = meter.CreateCounter<long>(ErrorsName, "{error}", "Operations of the gRPC services that failed.");
    }

    public void Took(string method, TimeSpan time) => _latency.Record(time.TotalSeconds, LabelOf(method));

    public void Failed(string method) => _errors.Add(1, LabelOf(method));

    /// <summary>The operation type of <c>/package.Service/Rpc</c>.</summary>
    public static string OperationOf(string method)
    {
        var slash = method.LastIndexOf('/');
        if (slash < 0) return method;
        var rpc = method[(slash + 1)..];
        var service = method[..slash].TrimStart('/');
        return service.StartsWith("runtime.v1.", StringComparison.Ordinal)
            ? rpc
            : $"{service[(service.LastIndexOf('.') + 1)..]}.{rpc}";
    }

    private KeyValuePair<string, object?> LabelOf(string method) =>
        _labels.GetOrAdd(method, static name => new("operation_type", OperationOf(name)));
}
