/** `palimpsest model`: what can be told of a classifier that other software exported, before it is named in a benchmark. */
import { Option } from 'commander'
import { readingOf } from '../../schema/parts/model-file.ts'
import { checkModel } from '../pipeline/check-model.ts'
import { firstOf, printModel } from '../terminal/model.ts'
import { note, printJson, styled } from '../terminal/output.ts'
import { UsageError } from '../words/usage.ts'
import { collect, wholeNumber } from './parts/arguments.ts'
import { type Command, help, threadsOption } from './parts/command.ts'
import { onInterrupts } from './parts/interrupts.ts'

interface Options {
  output?: string
  train?: string[]
  freeze?: string[]
  shape?: number[]
  batchNorm?: 'batch' | 'running'
  threads: number
  all?: boolean
  json?: boolean
}

export const model: Command = {
  group: 'On this machine',
  add: (program) => {
    const group = program
      .command('model')
      .description('see what becomes of a classifier of your own, exported to ONNX')
      .addHelpText(
        'after',
        help([
          'palimpsest model check resnet.onnx',
          'palimpsest model check resnet.onnx --freeze "stem.weight,stem.bias"',
        ]),
      )
    group
      .command('check <file>')
      .description('read an ONNX file, train it for one step, and print what a benchmark names it by')
      .option('--output <name>', 'the output that holds the logits, where there are several')
      .option('--train <names>', 'tensors that train though they would not by themselves (repeatable)', collect)
      .option('--freeze <names>', 'tensors that stay as they are (repeatable)', collect)
      .option('--shape <c>x<h>x<w>', 'of one image, where the file leaves it open, such as 3x32x32', shapeFrom)
      .addOption(
        new Option(
          '--batch-norm <kind>',
          'whose statistics batch norm takes in training: those of the batch, or its own running ones',
        ).choices(['batch', 'running']),
      )
      .option('--all', 'list each tensor, also those that differ in a number of their names only')
      .option('--json', 'as JSON')
      .option(...threadsOption, wholeNumber('threads', { min: 0, max: 1024 }), 0)
      .addHelpText(
        'after',
        help(
          [
            'palimpsest model check resnet.onnx',
            'palimpsest model check detector.onnx --output scores --freeze anchors,scale',
          ],
          `Nothing is written. The step is taken on random images from the weights in the file; a benchmark says under "weights"
what these are to it, and retrains from fresh ones by the rules of the last column.`,
        ),
      )
      .action(check)
    return group
  },
}

async function check(path: string, options: Options): Promise<void> {
  const [train, freeze] = [namesFrom('train', options.train), namesFrom('freeze', options.freeze)]
  const both = train?.find((name) => freeze?.includes(name))
  if (both !== undefined) throw new UsageError(`--train and --freeze: expected ${both} in one of them, came in both`)
  const { output, shape, batchNorm, threads, all } = options
  const { signal, release } = onInterrupts()
  try {
    const reading = readingOf({ output, train, freeze, shape, batchNorm })
    const checked = await checkModel(path, reading, { threads, signal })
    if (options.json) printJson(checked)
    else printModel(checked, { ...(all && { all }) })
    const { stuck, trains } = checked
    if (stuck.length > 0) note(`${styled('yellow', 'warning:')} ${stuckWords(stuck, trains.length)}`)
  } finally {
    release()
  }
}

/** `a,b` and `c`, each given by an option of its own. */
function namesFrom(option: string, words: string[] | undefined): string[] | undefined {
  if (words === undefined) return undefined
  const names = words.flatMap((word) => word.split(',')).map((name) => name.trim())
  if (names.includes(''))
    throw new UsageError(`--${option}: expected names of tensors, such as a,b, got "${words.join(',')}"`)
  return [...new Set(names)]
}

function shapeFrom(text: string): number[] {
  const extents = text.split(/[x,]/).map(Number)
  if (extents.length === 3 && extents.every((extent) => Number.isInteger(extent) && extent > 0)) return extents
  throw new UsageError(`--shape: expected channels, height and width, such as 3x32x32, got "${text}"`)
}

const stuckWords = (names: string[], of: number): string =>
  `of ${of} tensors that train, ${names.length} did not move, from fresh weights either, since their gradient is exactly 0: ${firstOf(names)}; if that is meant, name them under "freeze"`
