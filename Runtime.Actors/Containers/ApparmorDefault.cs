using System.ComponentModel;
using System.Diagnostics;
using Runtime.Faults;

namespace Runtime.Actors.Containers;

/// <summary>The AppArmor profile of containers that ask for the runtime's default.</summary>
public static class ApparmorDefault
{
    /// <summary>As containerd calls it: policies and tools know the name.</summary>
    public const string Name = "cri-containerd.apparmor.d";

    private static readonly string[] Parsers = ["/sbin/apparmor_parser", "/usr/sbin/apparmor_parser"];

    private static readonly TimeSpan LoadMax = TimeSpan.FromSeconds(10);

    /// <summary>What loads profiles; null where it is not installed.</summary>
    public static string? Parser => Parsers.FirstOrDefault(File.Exists);

    /// <summary>
    /// Everything but what gets out of a container or into the kernel: mounts, raw files of /proc and /sys, tracing of
    /// processes
    /// that are not in the profile.
    /// </summary>
    public static string Text => $$"""
        #include <tunables/global>

        profile {{Name}} flags=(attach_disconnected,mediate_deleted) {
          #include <abstractions/base>

          network,
          capability,
          file,
          umount,
          signal (receive) peer=unconfined,
          signal (receive) peer=runc,
          signal (receive) peer=crun,
          signal (send,receive) peer={{Name}},
          ptrace (trace,read,tracedby,readby) peer={{Name}},

          deny mount,
          deny @{PROC}/{sysrq-trigger,mem,kmem,kcore,kallsyms} rwklx,
          deny @{PROC}/{acpi,bus,fs,irq,scsi}/** w,
          deny @{PROC}/sys/{abi,crypto,debug,dev,user,vm}/** w,
          deny @{PROC}/sys/fs/[^m]** w,
          deny @{PROC}/sys/kernel/{[^ms]**,m[^s]**,s[^he]**} w,
          deny /sys/{[^f]*,f[^s]*}/** wklx,
          deny /sys/fs/{[^c]*,c[^g]*}/** wklx,
          deny /sys/{firmware,devices/virtual/powercap,kernel/security}/** rwklx,
        }

        """;

    /// <summary>Has the kernel know it, in the place of one that it knows already.</summary>
    /// <exception cref="FaultException">Internal (<c>apparmor.not-loaded</c>), with what the parser said.</exception>
    public static async Task LoadAsync(string parser, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(LoadMax);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(parser, ["-Kr"])
            {
                RedirectStandardInput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            try
            {
                var complaints = process.StandardError.ReadToEndAsync(limit.Token);
                await process.StandardInput.WriteAsync(Text.AsMemory(), limit.Token);
                process.StandardInput.Close();
                await process.WaitForExitAsync(limit.Token);
                if (process.ExitCode != 0)
                    throw Failed($"{parser} exited with {process.ExitCode}: {(await complaints).Trim()}");
            }
            finally
            {
                if (!process.HasExited) process.Kill();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Failed($"{parser} did not end in {LoadMax.TotalSeconds} s");
        }
        catch (Exception broken) when (broken is Win32Exception or IOException)
        {
            throw Failed(broken.Message, broken);
        }
    }

    private static FaultException Failed(string why, Exception? cause = null) =>
        new(FaultKind.Internal, "apparmor.not-loaded", $"The AppArmor profile {Name} was not loaded: {why}.", cause);
}
