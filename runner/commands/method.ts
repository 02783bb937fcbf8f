/** `palimpsest method`: what can be told of a method of one file, before it is run on a benchmark. */
import { tryMethod } from '../pipeline/check-method.ts'
import { MethodFault } from '../sandbox/fault.ts'
import { parametersOf } from '../science/parameters.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { table } from '../terminal/table.ts'
import { paramText } from '../words/command.ts'
import { byteSize, duration } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { type Command, help } from './parts/command.ts'
import { onInterrupts } from './parts/interrupts.ts'
import { methodFrom } from './parts/method-files.ts'

export const method: Command = {
  group: 'On this machine',
  add: (program) => {
    const group = program
      .command('method')
      .description('see what becomes of a method of your own, written as one file')
      .addHelpText('after', help(['palimpsest method check my-method.ts']))
    group
      .command('check <file>')
      .description(
        'read a method, run it with its defaults on a very small classifier, and print what it takes and asks for',
      )
      .option('--json', 'as JSON')
      .addHelpText(
        'after',
        help(
          [
            'palimpsest method check my-method.ts',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method ./my-method.ts --seeds 0',
          ],
          'Nothing is written. What is wrong is said with its line and column. docs/one-file-methods.md says what a file may hold.',
        ),
      )
      .action(check)
    return group
  },
}

async function check(path: string, { json }: { json?: boolean }): Promise<void> {
  const { source, definition } = await methodFrom(path)
  const { title, summary, on } = definition
  const unlearning = on.classification!
  const { signal, release } = onInterrupts()
  try {
    const tried = await tryMethod(unlearning, { signal })
    const parameters = parametersOf(unlearning.params)
    const { id, sha256, text } = source
    if (json) return printJson({ id, sha256, title, summary, parameters, tried })
    print(`${title}: ${summary}`)
    print(`${id}, ${byteSize(new TextEncoder().encode(text).length)}, SHA-256 ${sha256}`)
    if (parameters.length > 0) {
      const columns = ['Parameter', 'Takes', 'Default', 'What it is'].map((title) => ({ title }))
      const rows = parameters.map(({ name, type, range, default: usual, description = '' }) => {
        return [name, [type, range].filter(Boolean).join(', '), paramText(usual), description]
      })
      for (const line of ['', ...table(columns, rows), '']) print(line)
    }
    const asked = Object.entries(tried.asked).map(([verb, times]) => (times === 1 ? verb : `${verb} ${times} times`))
    print(`With its defaults it asked the trainer for ${asked.join(', ') || 'nothing'}.`)
    note(`Ran in ${duration(tried.seconds)} on a classifier of ${tried.parameters} weights.`)
  } catch (error) {
    throw error instanceof MethodFault ? new UsageError(error.message) : error
  } finally {
    release()
  }
}
