/** `palimpsest rescore`: every metric of evaluations that are done, computed anew from their evidence. */
import { availableParallelism } from 'node:os'
import { benchmarks as known } from '../pipeline/catalogue.ts'
import { findEvaluations, type Rescored, rescoreStage } from '../pipeline/rescore.ts'
import { openScoring } from '../pipeline/scoring.ts'
import { openHome } from '../store/home.ts'
import { openStore } from '../store/store.ts'
import { showCounting } from '../terminal/counting.ts'
import { note, print, printJson, styled } from '../terminal/output.ts'
import { rescoredTable } from '../terminal/rescored.ts'
import { duration, plural } from '../words/numbers.ts'
import { targetFrom, wholeNumber } from './parts/arguments.ts'
import { type Command, help, homeOption } from './parts/command.ts'
import { onInterrupts } from './parts/interrupts.ts'

interface Options {
  dryRun?: boolean
  threads: number
  home?: string
  json?: boolean
}

export const rescore: Command = {
  group: 'On this machine',
  add: (program) =>
    program
      .command('rescore')
      .description('compute every metric anew from stored evidence, without a GPU and without evaluating again')
      .argument(
        '[benchmark...]',
        'slugs of benchmarks or suites, or JSON files that define one (default: all known ones)',
      )
      .option('--dry-run', 'tell what would change, and change nothing')
      .option(
        '--threads <n>',
        'evaluations at once (default: one a core)',
        wholeNumber('threads', { min: 1, max: 1024 }),
        availableParallelism(),
      )
      .option(...homeOption)
      .option('--json', 'every change as JSON')
      .addHelpText(
        'after',
        help(
          ['palimpsest rescore --dry-run', 'palimpsest rescore fashion-mnist-5k.small-cnn.random-10'],
          'Older values stay beside the new ones. Ends with 1 when evidence is missing or damaged. Ctrl-C stops; the same\ncommand again goes over all of it once more.',
        ),
      )
      .action(execute),
}

async function execute(words: string[], options: Options): Promise<void> {
  const targets = await Promise.all(words.map(targetFrom))
  const benchmarks = words.length > 0 ? targets.flatMap(({ benchmarks }) => benchmarks) : [...known.values()]
  const home = await openHome(options.home)
  const { signal, release } = onInterrupts(() => note('Stopping; what was written stays.'))
  const { threads, dryRun = false } = options
  const scoring = openScoring({ home, threads, signal })
  const began = performance.now()
  try {
    const store = openStore(home)
    const { evaluations, nameless, unknown } = await findEvaluations(store, benchmarks)
    const view = showCounting(evaluations.length, 'evaluations')
    const rescored = await atOnce(evaluations, threads + 1, async (evaluation) => {
      const found = await rescoreStage(evaluation, { store, scoring, signal, dryRun })
      view.add(1)
      return found
    }).finally(view.stop)
    const seconds = (performance.now() - began) / 1000
    report({ ...merged(rescored), evaluations: evaluations.length, nameless, unknown, seconds, dryRun }, options)
  } finally {
    release()
    await scoring.close()
  }
}

interface Report extends Rescored {
  evaluations: number
  nameless: number
  unknown: string[]
  seconds: number
  dryRun: boolean
}

const merged = (all: Rescored[]): Rescored => ({
  changes: all.flatMap(({ changes }) => changes),
  problems: all.flatMap(({ problems }) => problems),
})

function report(found: Report, { json }: Pick<Options, 'json'>): void {
  const { changes, problems, evaluations, nameless, unknown, seconds, dryRun } = found
  if (json) printJson(found)
  else if (changes.length > 0) for (const line of rescoredTable(changes)) print(line)
  for (const named of unknown) note(`${named}: this release has no such metric; its values stay as they are.`)
  if (nameless > 0)
    note(
      `${plural(nameless, 'stage')} of an earlier release ${nameless === 1 ? 'does' : 'do'} not say what was measured: left out.`,
    )
  for (const { key, why } of problems) note(`${styled('red', '✗')} ${key}: ${why}`)
  const outcome =
    changes.length === 0
      ? 'every value is as it was'
      : plural(
          changes.length,
          dryRun ? 'value would change' : 'value changed',
          dryRun ? 'values would change' : 'values changed',
        )
  note(`Scored ${plural(evaluations, 'evaluation')} in ${duration(seconds)}: ${outcome}.`)
  const failed = new Set(problems.map(({ key }) => key)).size
  if (failed > 0) throw new Error(`${plural(failed, 'evaluation')} of ${evaluations} could not be scored in full`)
}

/** Runs over all items, so many at once; results in their order. Ends at the first that throws. */
async function atOnce<Item, Result>(
  items: readonly Item[],
  most: number,
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const entries = items.entries()
  const loop = async () => {
    for (const [at, item] of entries) results[at] = await run(item)
  }
  await Promise.all(Array.from({ length: most }, loop))
  return results
}
