using Runtime.Actors.Containers;
using Runtime.Faults;
using Xunit;

namespace Runtime.Tests.Unit.Containers;

public sealed class StopSignalTests
{
    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("term", 15)]
    [InlineData("15", 15)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-1", 63)]
    [InlineData("SIGQUIT", 3)]
    public void Signals_are_known_by_name_and_number(string name, uint number) => Assert.Equal(number, StopSignal.Parse(name));

    [Theory]
    [InlineData("")]
    [InlineData("SIGNONE")]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("SIGRTMIN+99")]
    [InlineData("SIGRTMINx+1")]
    public void What_is_no_signal_is_refused(string name) =>
        Assert.Equal("container.unknown-signal", Assert.Throws<FaultException>(() => StopSignal.Parse(name)).Fault.Code);

    [Theory]
    [InlineData("", "", "SIGTERM")]
    [InlineData("", "3", "SIGQUIT")]
    [InlineData("", "nonsense", "SIGTERM")]
    [InlineData("usr1", "SIGQUIT", "SIGUSR1")]
    public void The_requests_signal_comes_before_the_images(string asked, string image, string expected) =>
        Assert.Equal(expected, StopSignal.Effective(asked, image));
}
