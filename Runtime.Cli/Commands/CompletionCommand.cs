using System.CommandLine;

namespace Runtime.Cli.Commands;

/// <summary><c>actr completion bash|zsh|fish</c>: a script for the shell, which asks this program for suggestions.</summary>
internal static class CompletionCommand
{
    private const string Bash =
        """
        _actr() {
            local IFS=$'\n'
            COMPREPLY=($(actr "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null))
        }
        complete -o default -F _actr actr
        """;

    private const string Zsh =
        """
        #compdef actr
        _actr() {
            local -a words_found
            words_found=(${(f)"$(actr "[suggest:${#BUFFER}]" "${BUFFER}" 2>/dev/null)"})
            compadd -- $words_found
        }
        compdef _actr actr
        """;

    private const string Fish =
        """
        complete -f -c actr -a '(set -l line (commandline -cp); actr "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Prints a completion script: source <(actr completion bash)") { shell };
        command.SetAction(parsed => Console.WriteLine(parsed.GetRequiredValue(shell) switch
        {
            "zsh" => Zsh,
            "fish" => Fish,
            _ => Bash,
        }));
        return command;
    }
}
