/** Puts the commands together, runs one, and turns what it throws into words and an exit code. */
import { Command, CommanderError } from 'commander'
import { RemoteError } from './agent/client.ts'
import { board } from './commands/board.ts'
import { enrol } from './commands/enrol.ts'
import { health } from './commands/health.ts'
import { list } from './commands/list.ts'
import { quickstart } from './commands/quickstart.ts'
import { run } from './commands/run.ts'
import { runner } from './commands/runner.ts'
import { runners } from './commands/runners.ts'
import { score } from './commands/score.ts'
import { serve } from './commands/serve.ts'
import { submit } from './commands/submit.ts'
import { verify } from './commands/verify.ts'
import { webhooks } from './commands/webhooks.ts'
import { note, styled } from './terminal/output.ts'
import { Interrupted, UsageError } from './usage.ts'
import { version } from './version.ts'

export async function main(argv: string[]): Promise<number> {
  const program = new Command('palimpsest')
    .description('An open benchmark for machine unlearning: what traces remain after a model was told to forget?')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help)')
    .exitOverride()
  for (const add of [
    quickstart,
    run,
    list,
    serve,
    enrol,
    runner,
    runners,
    submit,
    webhooks,
    board,
    verify,
    score,
    health,
  ])
    add(program)
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
