namespace Runtime.Actors.Network;

/// <summary>Whether pods can get a network, for CRI's Status. Answered from memory.</summary>
public interface INetworkStatus
{
    bool Ready { get; }

    /// <summary>Empty when ready; else what is missing: configuration, plugin.</summary>
    string Message { get; }

    /// <summary>JSON of the loaded configuration, for verbose status.</summary>
    string ConfigJson { get; }
}
