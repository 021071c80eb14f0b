using Runtime.Faults;

namespace Runtime.Actors.Network;

/// <summary>Takes the node's ranges of pod addresses, where the configuration of the pod network is made of them.</summary>
public interface IPodCidrs
{
    /// <summary>
    /// Writes the network's configuration of the template, where there is a template and no network yet. Idempotent.
    /// </summary>
    /// <param name="ranges">CIDRs, separated by commas; empty for none.</param>
    /// <exception cref="FaultException">
    /// InvalidArgument for what is no CIDR; FailedPrecondition for a template that does not make a CNI configuration.
    /// </exception>
    void Apply(string ranges);
}
