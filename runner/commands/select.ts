/** `palimpsest select`: the images that a model knows best or least, as a list for `palimpsest run --forget`. */

import { openNamed } from '../pipeline/files-of-arrays.ts'
import { writeIndexList } from '../pipeline/request.ts'
import { recognise } from '../pipeline/score-file.ts'
import { selectExamples } from '../pipeline/select.ts'
import { readPositions } from '../pipeline/split-file.ts'
import { note } from '../terminal/output.ts'
import { checkWritable } from '../terminal/report.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { wholeNumber } from './parts/arguments.ts'
import { type Command, help } from './parts/command.ts'

interface Options {
  split: string
  by: string
  most?: number
  least?: number
  out: string
}

const MOST = { min: 1, max: 0x7fffffff }

export const select: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('select')
      .description('write a list of the images that a model knows best or least, to be forgotten by `run --forget`')
      .argument('<evidence>', 'evidence of the original, safetensors or .npz, as `score` reads it')
      .requiredOption('--split <file>', 'the split.safetensors beside it: which image each row is of')
      .requiredOption(
        '--by <value>',
        'loss, margin, confidence, entropy or m-entropy: a column of `score --per-example`',
      )
      .option('--most <n>', 'the n images with the largest values', wholeNumber('most', MOST))
      .option('--least <n>', 'the n images with the smallest values', wholeNumber('least', MOST))
      .requiredOption('--out <file>', 'where to: .npy, .txt or .json')
      .addHelpText(
        'after',
        help(
          [
            'palimpsest select evidence.safetensors --split split.safetensors --by loss --most 500 --out hardest.npy',
            'palimpsest run BENCHMARK --method salun --seeds 0 --forget hardest.npy',
          ],
          'Both files are artifacts of an evaluation: the page of a run has them. Of equal values the image that comes first\nin the dataset is taken.',
        ),
      )
      .action(execute),
}

async function execute(path: string, { split, by, most, least, out }: Options): Promise<void> {
  if ((most === undefined) === (least === undefined))
    throw new UsageError('expected either --most N or --least N, got both or neither')
  await checkWritable(out, '--out')
  const file = await openNamed(path)
  if (file.kind !== 'arrays') throw new UsageError(`${path}: expected evidence, got ${file.kind}`)
  const positions = await readPositions(split)
  const take = most === undefined ? 'least' : 'most'
  const chosen = selectExamples(recognise(file, null, {}), positions, { by, take, count: (most ?? least)! })
  await writeIndexList(out, chosen.list)
  const [from, to] = [chosen.from, chosen.to].map((value) => Number(value.toPrecision(4)))
  note(`Wrote ${plural(chosen.list.length, 'position')} to ${out}: ${by} from ${from} to ${to}.`)
}
