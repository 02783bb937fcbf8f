/** `palimpsest forget-set`: a list of images that belong together or are hard to forget, found with the original of a seed. */
import type { Benchmark } from '../../schema/benchmark.ts'
import { type AskedSet, checkAsked, findForgetSet, forgetSetsOf, originalOf } from '../pipeline/forget-set.ts'
import { writeIndexList } from '../pipeline/request.ts'
import { worstCase } from '../science/forget-set.ts'
import { parametersOf } from '../science/parameters.ts'
import { note } from '../terminal/output.ts'
import { showProgress } from '../terminal/progress.ts'
import { checkWritable } from '../terminal/report.ts'
import { stageLabel, workOf } from '../terminal/stages.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { collect, seedsFrom, settingFrom, targetFrom, wholeNumber } from './parts/arguments.ts'
import { checkBenchmark } from './parts/check-benchmark.ts'
import { type Command, help } from './parts/command.ts'
import { withLocalOptions } from './parts/local-options.ts'
import { type LocalOptions, openLocal } from './parts/local-setting.ts'

interface Options extends LocalOptions {
  near?: string
  worst?: boolean
  easiest?: boolean
  count: number
  seed: number
  param?: string[]
  out: string
  server?: string
}

const MOST = 0x7fffffff

export const forgetSet: Command = {
  group: 'On this machine',
  add: (program) =>
    withLocalOptions(
      program
        .command('forget-set')
        .description('write a list of images to be forgotten by `run --forget`: neighbours of some, or the worst case')
        .usage('[options] <benchmark>')
        .argument('<benchmark>', 'its slug, or the path of a JSON file that defines one')
        .option('--near <list>', 'the nearest to these positions in the training set, such as 17,23, they among them')
        .option('--worst', 'the images that a model still knows best when it has unlearned them')
        .option('--easiest', 'the reverse: those that it then knows least')
        .requiredOption('--count <n>', 'how many', wholeNumber('count', { min: 1, max: MOST }))
        .option('--seed <n>', 'the run whose original is asked', wholeNumber('seed', { min: 0, max: MOST }), 0)
        .option('--param <name=value>', 'how the worst case is looked for (repeatable)', collect)
        .requiredOption('--out <file>', 'where to: .npy, .txt or .json'),
    )
      .addHelpText(
        'after',
        help(
          [
            'palimpsest forget-set fashion-mnist-5k.small-cnn.random-10 --near 17,23 --count 500 --out near.npy',
            'palimpsest forget-set fashion-mnist-5k.small-cnn.random-10 --worst --count 500 --out worst.npy',
            'palimpsest run fashion-mnist-5k.small-cnn.random-10 --method salun --seeds 0 --forget worst.npy',
          ],
          `The original is trained first where it is not kept. Near is the cosine distance of what its last layer sees, to the nearest of\nseveral; of equal ones the image that comes first in the dataset is taken.\n\n--worst is the bilevel search of Unlearn-WorstCase (https://arxiv.org/abs/2403.07362). --param, with the default:\n${words()}`,
        ),
      )
      .action(execute),
}

const words = () =>
  parametersOf(worstCase)
    .map(({ name, default: usual, description }) => `  ${name} (${usual}): ${description}`)
    .join('\n')

async function execute(word: string, options: Options): Promise<void> {
  const { count, seed, out } = options
  const asked: AskedSet = { count, how: howOf(options) }
  await checkWritable(out, '--out')
  const target = await targetFrom(word, options.server)
  const [benchmark] = target.benchmarks as [Benchmark]
  if (target.benchmarks.length > 1)
    throw new UsageError(
      `expected one benchmark, got the suite ${target.slug}; name one of its benchmarks, such as ${benchmark.slug}`,
    )
  checkBenchmark(benchmark)
  const sets = forgetSetsOf(benchmark)
  const { target: pinned, context, release } = await openLocal(target, options)
  let view: ReturnType<typeof showProgress> | undefined
  try {
    const original = await originalOf(pinned.benchmarks[0]!, seed)
    const items = await checkAsked(original, asked, context)
    const training = (await workOf([original])).get(original.key)!
    const { how } = asked
    const passes = 'near' in how ? 1 / 3 : how.worst.rounds * (how.worst.passes + 1 / 3)
    const looking = { like: 'forget-set', amount: passes * items.length }
    const shown = showProgress({ all: [training, looking], done: [] })
    view = shown
    shown.begin({ label: stageLabel(original.spec), work: training })
    const found = await findForgetSet(original, { ...asked, items, sets }, context, {
      onTrained({ reused }) {
        shown.end({ work: training, reused })
        shown.begin({ label: `look for ${plural(count, 'image')}, seed ${seed}`, work: looking })
      },
      onProgress: (progress) => shown.update(progress),
    })
    shown.stop()
    await writeIndexList(out, found.list)
    note(`Wrote ${plural(found.list.length, 'position')} to ${out}: ${found.words}.`)
  } finally {
    view?.stop()
    release()
  }
}

function howOf({ near, worst = false, easiest = false, param }: Options): AskedSet['how'] {
  if ([near !== undefined, worst, easiest].filter(Boolean).length !== 1)
    throw new UsageError('expected one of --near LIST, --worst and --easiest')
  if (near === undefined) return { worst: settingFrom(worstCase, '--worst', param), easiest }
  if (param) throw new UsageError('--param belongs to --worst and --easiest; with --near, leave it out')
  return { near: seedsFrom(near, '--near') }
}
