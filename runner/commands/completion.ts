/** `palimpsest completion`: what a shell needs to complete the command's words. The shell asks the command itself, so that it knows
 *  every option, and every benchmark and method, of this very checkout. */
import { fileURLToPath } from 'node:url'
import type { Command as Program } from 'commander'
import { benchmarks, suites } from '../pipeline/catalogue.ts'
import { methods } from '../science/catalogue/catalogue.ts'
import { print } from '../terminal/output.ts'
import { quoted } from '../words/command.ts'
import { noSuch } from '../words/nearest.ts'
import { UsageError } from '../words/usage.ts'
import { type Command, help } from './parts/command.ts'

/** Scripts by shell; `ask` is the command with the words before it, as the shell writes it. */
const scripts: Record<string, (ask: string) => string> = {
  bash: (ask) => `_palimpsest() {
  local IFS=$'\\n'
  COMPREPLY=($(${ask} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _palimpsest palimpsest`,
  zsh: (ask) => `#compdef palimpsest
_palimpsest() {
  local -a found
  found=("\${(@f)$(${ask} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -- $found; else _files; fi
}
compdef _palimpsest palimpsest`,
  fish: (ask) => `complete -c palimpsest -a '(${ask} (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
}

export const completion: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('completion')
      .description('print what lets a shell complete commands, options, benchmarks and methods')
      .usage('[options] <shell>')
      .argument('[words...]', `the shell: ${Object.keys(scripts).join(', ')}`)
      .option('--words', 'what a shell asks: candidates for the last of the words, one a line')
      .addHelpText(
        'after',
        help([
          'eval "$(palimpsest completion bash)"         # in ~/.bashrc',
          'eval "$(palimpsest completion zsh)"          # in ~/.zshrc, after compinit',
          'palimpsest completion fish | source          # in ~/.config/fish/config.fish',
        ]),
      )
      .action((words: string[], options: { words?: boolean }) => {
        if (options.words) {
          for (const candidate of candidates(program, words)) print(candidate)
          return
        }
        const [shell = '', ...more] = words
        const script = scripts[shell]
        if (!script || more.length > 0) throw new UsageError(noSuch('shell', words.join(' '), Object.keys(scripts)))
        const entry = fileURLToPath(new URL('../palimpsest.js', import.meta.url))
        print(script(`${[process.execPath, entry].map(quoted).join(' ')} completion --words --`))
      }),
}

/** Of options and arguments that name what is known here. */
const known: Record<string, () => Iterable<string>> = {
  benchmark: () => [...benchmarks.keys(), ...suites.keys()],
  '--method': () => [...methods.keys(), 'all'],
  '--methods': () => [...methods.keys(), 'all'],
}

/** What the last word may become; none where files, or anything else, may stand. */
export function candidates(program: Program, words: string[]): string[] {
  const last = words.at(-1) ?? ''
  let command = program
  let before = ''
  let at = 0
  for (const word of words.slice(0, -1)) {
    const option = optionOf(command, before)
    if (option && takesValue(option)) before = ''
    else {
      const next = command.commands.find((each) => each.name() === word)
      if (next) [command, at] = [next, 0]
      else if (!word.startsWith('-')) at += 1
      before = word
    }
  }
  const option = optionOf(command, before)
  const starting = (all: Iterable<string>) => [...new Set(all)].filter((each) => each.startsWith(last))
  if (option && takesValue(option)) return starting(option.argChoices ?? known[option.long ?? '']?.() ?? [])
  if (last.startsWith('-')) return starting(optionsOf(command).flatMap(({ long }) => long ?? []))
  const own = command.commands.map((each) => each.name())
  if (own.length > 0) return starting(own)
  const argument = command.registeredArguments[at] ?? command.registeredArguments.findLast(({ variadic }) => variadic)
  return starting(known[argument?.name() ?? '']?.() ?? [])
}

const optionsOf = (command: Program) => [...command.options, ...command.createHelp().visibleOptions(command)]
const optionOf = (command: Program, word: string) =>
  command.options.find(({ long, short }) => word !== '' && (word === long || word === short))
const takesValue = ({ required }: { required: boolean }) => required
