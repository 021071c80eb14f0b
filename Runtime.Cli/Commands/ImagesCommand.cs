using System.CommandLine;
using Actord.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Runtime.Cli.Commands;

/// <summary><c>actr images pull|ls|tag|rm|import|export</c>.</summary>
internal static class ImagesCommand
{
    /// <summary>Bytes of one message of an archive: well below the limit of 16 MiB, and few enough messages.</summary>
    private const int PieceSize = 1 << 20;

    public static Command Create() => new("images", "Images.") { Pull(), List(), Tag(), Remove(), Import(), Export() };

    private static Command Pull()
    {
        var reference = new Argument<string>("REFERENCE");
        var platform = new Option<string?>("--platform") { Description = "os/architecture[/variant]; this machine's when not given." };
        var user = new Option<string?>("--user", "-u") { Description = "USER[:PASSWORD] for the registry; the password is asked for when it is left out." };
        var command = new Command("pull", "Fetches and unpacks an image.") { reference, platform, user };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var request = new PullRequest { Reference = parsed.GetRequiredValue(reference), Platform = parsed.GetValue(platform) ?? "" };
            if (parsed.GetValue(user) is { } credentials) AddCredentials(request, credentials);
            using var call = daemon.Images.Pull(request, daemon.Call(cancellation));
            var image = parsed.WantsJson()
                ? await PullProgress.WaitAsync(call.ResponseStream, cancellation)
                : await PullProgress.ShowAsync(call.ResponseStream, cancellation);
            if (parsed.WantsJson()) Output.Json(image);
            else Console.WriteLine($"{image.Name} {image.Digest}");
            return 0;
        });
        return command;
    }

    private static Command List()
    {
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Names only." };
        var command = new Command("ls", "Lists images by name.") { quiet };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var reply = await daemon.Images.ListAsync(new ListImagesRequest(), daemon.Call(cancellation));
            if (parsed.WantsJson()) Output.Json(reply);
            else if (parsed.GetValue(quiet)) foreach (var image in reply.Images) Console.WriteLine(image.Name);
            else
            {
                Output.Table(
                    ["NAME", "IMAGE ID", "DIGEST", "SIZE"],
                    reply.Images.OrderBy(image => image.Name, StringComparer.Ordinal).Select(image => new[]
                    {
                        image.Name, image.Id.Length == 0 ? "-" : Output.ShortId(image.Id), Output.ShortId(image.Digest), Output.Size((ulong)image.Size),
                    }));
            }
            return 0;
        });
        return command;
    }

    private static Command Tag()
    {
        var source = new Argument<string>("SOURCE");
        var target = new Argument<string>("TARGET");
        var force = new Option<bool>("--force") { Description = "Take the name away from another image." };
        var command = new Command("tag", "Gives an image a further name.") { source, target, force };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            var request = new TagImageRequest
            {
                Source = parsed.GetRequiredValue(source),
                Target = parsed.GetRequiredValue(target),
                Force = parsed.GetValue(force),
            };
            Console.WriteLine((await daemon.Images.TagAsync(request, daemon.Call(cancellation))).Image.Name);
            return 0;
        });
        return command;
    }

    private static Command Remove()
    {
        var names = new Argument<string[]>("NAME") { Arity = ArgumentArity.OneOrMore };
        var command = new Command("rm", "Takes names away; content that no name leads to goes too.") { names };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var daemon = Daemon.Of(parsed);
            foreach (var name in parsed.GetRequiredValue(names))
            {
                await daemon.Images.RemoveAsync(new RemoveImageRequest { Name = name }, daemon.Call(cancellation));
                Console.WriteLine(name);
            }
            return 0;
        });
        return command;
    }

    private static Command Import()
    {
        var file = new Argument<string>("FILE") { Description = "A tar archive (OCI layout or docker save); - for standard input." };
        var name = new Option<string?>("--name") { Description = "Name for an archive of one image that carries none." };
        var command = new Command("import", "Loads images from an archive.") { file, name };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            using var daemon = Daemon.Of(parsed);
            await using var archive = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            using var call = daemon.Images.Import(daemon.Call(cancellation));
            await SendAsync(archive, call.RequestStream, parsed.GetValue(name) ?? "", cancellation);
            var reply = await call.ResponseAsync;
            if (parsed.WantsJson()) Output.Json(reply);
            else foreach (var image in reply.Images) Console.WriteLine($"{image.Name} {image.Digest}");
            return 0;
        });
        return command;
    }

    private static async Task SendAsync(
        Stream archive, IClientStreamWriter<ImportRequest> requests, string name, CancellationToken cancellation)
    {
        await requests.WriteAsync(new ImportRequest { Name = name }, cancellation);
        var buffer = new byte[PieceSize];
        try
        {
            int read;
            while ((read = await archive.ReadAsync(buffer, cancellation)) > 0)
                await requests.WriteAsync(new ImportRequest { Data = ByteString.CopyFrom(buffer, 0, read) }, cancellation);
            await requests.CompleteAsync();
        }
        catch (Exception cut) when (cut is RpcException or InvalidOperationException)
        {
            // The daemon has answered before the end of the archive: its reply tells why.
        }
    }

    private static Command Export()
    {
        var file = new Argument<string>("FILE") { Description = "The archive to write; - for standard output." };
        var names = new Argument<string[]>("NAME") { Arity = ArgumentArity.OneOrMore };
        var command = new Command("export", "Writes images to an OCI layout archive that docker load reads too.") { file, names };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            using var daemon = Daemon.Of(parsed);
            var request = new ExportRequest();
            request.Names.AddRange(parsed.GetRequiredValue(names));
            using var call = daemon.Images.Export(request, daemon.Call(cancellation));
            var partial = path == "-" ? null : $"{path}.partial";
            await using (var archive = partial is null ? Console.OpenStandardOutput() : File.Create(partial))
            {
                await foreach (var piece in call.ResponseStream.ReadAllAsync(cancellation))
                    await archive.WriteAsync(piece.Data.Memory, cancellation);
            }
            if (partial is not null) File.Move(partial, path, overwrite: true);
            return 0;
        });
        return command;
    }

    private static void AddCredentials(PullRequest request, string credentials)
    {
        var at = credentials.IndexOf(':', StringComparison.Ordinal);
        request.Username = at < 0 ? credentials : credentials[..at];
        request.Password = at < 0 ? AskPassword() : credentials[(at + 1)..];
    }

    private static string AskPassword()
    {
        if (Console.IsInputRedirected) return Console.In.ReadLine() ?? "";
        Console.Error.Write("Password: ");
        var password = new System.Text.StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(intercept: true))
        {
            if (key.Key != ConsoleKey.Backspace) password.Append(key.KeyChar);
            else if (password.Length > 0) password.Length--;
        }
        Console.Error.WriteLine();
        return password.ToString();
    }
}
