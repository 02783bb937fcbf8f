/** Puts the commands together, runs one, and turns what it throws into words and an exit code. */
import { Command, CommanderError } from 'commander'
import { RemoteError } from '../agent/client.ts'
import { useProxies } from '../machine/proxy.ts'
import { localFaultOf } from '../store/local-fault.ts'
import { reasonOf } from '../store/write.ts'
import { note, styled } from '../terminal/output.ts'
import { noSuch } from '../words/nearest.ts'
import { Interrupted, LOCAL_FAULT_CODE, UsageError } from '../words/usage.ts'
import { version } from '../words/version.ts'
import * as commands from './index.ts'
import { groups } from './parts/command.ts'

export async function main(argv: string[]): Promise<number> {
  const program = new Command('palimpsest')
    .description('An open benchmark for machine unlearning: what traces remain after a model was told to forget?')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help)')
    .exitOverride()
  for (const group of groups) {
    for (const command of Object.values(commands)) {
      if (command.group === group) command.add(program).helpGroup(`${group}:`)
    }
  }
  addHelp(program)
  try {
    await useProxies()
    await program.parseAsync(argv)
    return 0
  } catch (error) {
    return explain(error)
  }
}

/** `help COMMAND`, in place of commander's own, which answers an unknown one with everything and says no word of it. */
function addHelp(group: Command): void {
  const known = new Map(group.commands.map((command) => [command.name(), command]))
  if (known.size === 0) return
  group
    .helpCommand(false)
    .command('help')
    .description('display help for command')
    .argument('[command]')
    .action((name: string | undefined) => {
      const found = name === undefined || name === 'help' ? group : known.get(name)
      if (!found) throw new UsageError(noSuch('command', name!, known.keys()))
      found.help()
    })
  for (const command of known.values()) addHelp(command)
}

/** For stdout. A reader that has seen enough, such as `head`, closes the pipe: that's no failure. */
export function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  note(`${styled('red', 'error:')} the output cannot be written: ${reasonOf(error)}`)
  process.exit(1)
}

function explain(error: unknown): number {
  // commander has said what was wrong; help and version end with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof Interrupted) return error.exitCode
  const fault = localFaultOf(error)
  const { name, message, stack } = fault ?? (error instanceof Error ? error : new Error(String(error)))
  note(`${styled('red', 'error:')} ${message}`)
  if (error instanceof UsageError) return 2
  if (fault) return LOCAL_FAULT_CODE
  if (error instanceof RemoteError) return error.status < 500 ? 2 : 1
  // A fault of this program: the place helps whoever mends it.
  if (['Error', 'TypeError', 'RangeError', 'ReferenceError'].includes(name) && process.env.DEBUG) note(stack)
  return 1
}
