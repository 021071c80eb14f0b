using Runtime.Faults;

namespace Runtime.Actors.Pulls;

/// <summary>The work of a pull, outside of any actor.</summary>
public interface IPullPipeline
{
    /// <summary>
    /// Fetches and unpacks an image and gives it its names. Nothing is named before everything is verified and unpacked. When it
    /// fails or is cancelled, complete blobs, unfinished ingests and committed layers stay for the next try.
    /// </summary>
    /// <param name="pull">Its reference is normalised.</param>
    /// <exception cref="FaultException">The registry's, the content store's and the layers' faults; NotFound
    /// <c>image.no-platform</c>; DeadlineExceeded <c>pull.stalled</c>; ResourceExhausted for a full disk.</exception>
    Task<ImagePulled> RunAsync(PullImage pull, PullProgress progress, CancellationToken cancellation);
}
