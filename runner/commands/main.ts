/** Puts the commands together, runs one, and turns what it throws into words and an exit code. */
import { Command, CommanderError } from 'commander'
import { RemoteError } from '../agent/client.ts'
import { note, styled } from '../terminal/output.ts'
import { Interrupted, UsageError } from '../words/usage.ts'
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
  try {
    await program.parseAsync(argv)
    return 0
  } catch (error) {
    return explain(error)
  }
}

function explain(error: unknown): number {
  // commander has said what was wrong; help and version end with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof Interrupted) return error.exitCode
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  note(`${styled('red', 'error:')} ${message}`)
  if (error instanceof UsageError) return 2
  if (error instanceof RemoteError) return error.status < 500 ? 2 : 1
  // A fault of this program: the place helps whoever mends it.
  if (['Error', 'TypeError', 'RangeError', 'ReferenceError'].includes(name) && process.env.DEBUG) note(stack)
  return 1
}
