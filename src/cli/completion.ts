import type { KubeObject } from '../api/object.ts';
import { type CliContext, type CliResult, type Command, done, nameOf } from './command.ts';

/** Scripts that ask `weir __complete` for candidates: one per line, a tab before its description. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# bash completion for weir
__weir_complete() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") line
  COMPREPLY=()
  while IFS= read -r line; do
    line="\${line%%$'\\t'*}"
    [[ -n "$line" && "$line" == "\${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$line")
  done < <("\${COMP_WORDS[0]}" __complete "\${words[@]}" 2>/dev/null)
}
complete -o default -F __weir_complete weir
`,
  fish: `# fish completion for weir
function __weir_complete
    set -l words (commandline -opc) (commandline -ct)
    set -e words[1]
    weir __complete $words 2>/dev/null
end
complete -c weir -f -a '(__weir_complete)'
`,
  powershell: `# powershell completion for weir
Register-ArgumentCompleter -CommandName 'weir' -Native -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($wordToComplete -eq '') { $words += '""' }
    weir __complete @words 2>$null | ForEach-Object {
        $name, $description = $_ -split "\`t", 2
        if ($name -like "$wordToComplete*") {
            if (-not $description) { $description = $name }
            [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $description)
        }
    }
}
`,
  zsh: `#compdef weir
compdef _weir weir
_weir() {
  local -a lines described
  local line
  lines=("\${(@f)$(\${words[1]} __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    [[ -n "$line" ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'weir' described
}
if [ "$funcstack[1]" = "_weir" ]; then
  _weir
fi
`,
};

const LOAD: Readonly<Record<string, string>> = {
  bash: `To load completion run

. <(weir completion bash)

To configure your bash shell to load completions for each session add to your bashrc

# ~/.bashrc or ~/.profile
command -v weir >/dev/null && . <(weir completion bash)`,
  fish: `To configure your fish shell to load completions for each session write this script to your completions dir:

weir completion fish > ~/.config/fish/completions/weir.fish`,
  powershell: `To load completion run

. <(weir completion powershell)

To configure your powershell shell to load completions for each session add to your powershell profile:

weir completion powershell >> weir-completion.ps1`,
  zsh: `To load completion run

. <(weir completion zsh)

To configure your zsh shell to load completions for each session add to your zshrc

# ~/.zshrc or ~/.profile
command -v weir >/dev/null && . <(weir completion zsh)`,
};

export const completionCommand: Command = {
  use: 'completion',
  short: 'Generates completion scripts for various shells',
  long: 'The completion sub-command generates completion scripts for various shells.',
  commands: Object.keys(SCRIPTS).map(
    (shell): Command => ({
      use: shell,
      short: `Generates ${shell} completion scripts`,
      long: `The completion sub-command generates ${shell} completion scripts. ${LOAD[shell]}`,
      args: { min: 0, max: 0 },
      run: async (context) => {
        context.print(SCRIPTS[shell] ?? '');
        return done;
      },
    }),
  ),
};

/** Names read from a cluster for one completion. */
const MAX_NAMES = 500;

/** Candidates for the last of the words: subcommands, flags, values of a flag, or names of objects in the cluster. */
export async function completeWords(context: CliContext, path: readonly Command[], typed: string): Promise<CliResult> {
  const command = path[path.length - 1] as Command;
  if (typed.startsWith('-')) {
    const flags = path.flatMap((step) => [
      ...(step === command ? (step.flags ?? []) : []),
      ...(step.persistentFlags ?? []),
    ]);
    const shown = flags.filter(({ hidden, deprecated }) => hidden !== true && deprecated === undefined);
    print(
      context,
      shown.map(({ name, usage }) => [`--${name}`, usage] as const),
      typed,
    );
    return done;
  }
  const subcommands = (command.commands ?? []).filter(({ hidden }) => hidden !== true);
  print(
    context,
    subcommands.map((sub) => [nameOf(sub), sub.short] as const),
    typed,
  );
  if (command.completes === undefined) return done;
  const client = await context.client();
  if (!client.ok) return done;
  const listed = await client.value.list(command.completes, { namespace: context.namespace });
  const items: readonly KubeObject[] = listed.ok ? listed.value.items.slice(0, MAX_NAMES) : [];
  print(
    context,
    items.map(({ metadata }) => [metadata.name, ''] as const),
    typed,
  );
  return done;
}

function print(context: CliContext, candidates: readonly (readonly [string, string])[], typed: string): void {
  for (const [name, description] of candidates) {
    if (name.startsWith(typed)) context.print(description === '' ? `${name}\n` : `${name}\t${description}\n`);
  }
}
