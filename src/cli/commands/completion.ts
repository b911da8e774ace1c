/**
 * `kith completion bash|zsh|fish`: scripts made from the command tree, so that they never fall behind it.
 *
 * @module cli/commands/completion
 */
import type { Command } from 'commander';
import { UsageError } from '../failure.ts';
import { print } from '../output.ts';
import type { Handler } from '../program.ts';

interface Place {
  /** Commands that lead here, such as `models pull`; empty at the root. */
  readonly path: string;
  readonly words: readonly {
    readonly word: string;
    readonly description: string;
    readonly kind: 'command' | 'option';
  }[];
}

/** Every command with the words that may follow it. */
function places(command: Command, path = ''): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const here: Place = {
    path,
    words: [
      ...commands.map((each) => ({
        word: each.name(),
        description: each.description(),
        kind: 'command' as const,
      })),
      ...help.visibleOptions(command).map((option) => ({
        word: option.long ?? option.short!,
        description: option.description,
        kind: 'option' as const,
      })),
    ],
  };
  if (path === 'completion')
    (here.words as Place['words'][number][]).unshift(
      ...['bash', 'zsh', 'fish'].map((word) => ({
        word,
        description: `script for ${word}`,
        kind: 'command' as const,
      })),
    );
  const below = commands
    .filter((each) => each.name() !== 'help')
    .flatMap((each) => places(each, path ? `${path} ${each.name()}` : each.name()));
  return [here, ...below];
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function bash(all: readonly Place[]): string {
  const known = all.filter((place) => place.path).map((place) => quote(place.path));
  return `# kith completion for bash. Load it with: source <(kith completion bash)
_kith() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at="" next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${at:+$at }\${COMP_WORDS[i]}"
    case "$next" in
      ${known.join(' | ')}) at="$next" ;;
    esac
  done
  case "$at" in
${all.map((place) => `    ${quote(place.path)}) COMPREPLY=($(compgen -W ${quote(place.words.map((each) => each.word).join(' '))} -- "$cur")) ;;`).join('\n')}
  esac
}
complete -o default -F _kith kith
`;
}

function zsh(all: readonly Place[]): string {
  const known = all.filter((place) => place.path).map((place) => quote(place.path));
  const entry = (word: string, description: string) => quote(`${word}:${description.replaceAll(':', '\\:')}`);
  return `#compdef kith
# kith completion for zsh. Load it with: source <(kith completion zsh)
_kith() {
  local at="" next word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case "$next" in
      (${known.join(' | ')}) at="$next" ;;
    esac
  done
  case "$at" in
${all.map((place) => `    (${quote(place.path)}) found=(${place.words.map((each) => entry(each.word, each.description)).join(' ')}) ;;`).join('\n')}
  esac
  _describe kith found || _files
}
compdef _kith kith
`;
}

function fish(all: readonly Place[]): string {
  const known = all.filter((place) => place.path).map((place) => quote(place.path));
  const lines = all.flatMap((place) =>
    place.words.map(({ word, description, kind }) => {
      const what =
        kind === 'command'
          ? `-a ${word}`
          : word.startsWith('--')
            ? `-l ${word.slice(2)}`
            : `-s ${word.slice(1)}`;
      return `complete -c kith -n "test (__kith_at) = ${place.path ? quote(place.path) : "''"}" ${what} -d ${quote(description)}`;
    }),
  );
  return `# kith completion for fish. Load it with: kith completion fish | source
function __kith_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$at $word")
    if contains -- "$next" ${known.join(' ')}
      set at "$next"
    end
  end
  echo "$at"
end
${lines.join('\n')}
`;
}

const scripts: Readonly<Record<string, (all: readonly Place[]) => string>> = { bash, zsh, fish };

const run: Handler = async ({ args, program }) => {
  const shell = String(args[0]);
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (!script)
    throw new UsageError(`There is no completion for '${shell.slice(0, 40)}': choose bash, zsh or fish.`);
  print(script(places(program)).trimEnd());
};
export default run;
