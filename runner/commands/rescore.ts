/** `palimpsest rescore`: every metric of evaluations that are done, computed anew from their evidence. */
import { availableParallelism } from 'node:os'
import { apiOf } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { rescoreThere, scoreLeft } from '../agent/rescore.ts'
import { atOnce } from '../pipeline/at-once.ts'
import { benchmarks as known } from '../pipeline/catalogue.ts'
import { type Change, findEvaluations, type Problem, rescoreStage } from '../pipeline/rescore.ts'
import { openScoring, type Scoring } from '../pipeline/scoring.ts'
import { tokenFor } from '../server/tokens.ts'
import { openHome } from '../store/home.ts'
import { openStore, type Store } from '../store/store.ts'
import { showCounting } from '../terminal/counting.ts'
import { note, print, printJson, styled } from '../terminal/output.ts'
import { rescoredSheet, rescoredTable } from '../terminal/rescored.ts'
import { type Format, printSheets } from '../terminal/sheet.ts'
import { duration, plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { targetFrom, wholeNumber } from './parts/arguments.ts'
import { type Command, help, homeOption, serverOf } from './parts/command.ts'
import { type FormatOptions, formatOf, formatOption } from './parts/format.ts'
import { onInterrupts } from './parts/interrupts.ts'

interface Options extends FormatOptions {
  server?: string
  tokenFile?: string
  onlyMissing?: boolean
  dryRun?: boolean
  threads: number
  home?: string
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
      .option('--server <url>', 'the boards of a server instead of the evaluations of this machine (for admins)')
      .option('--token-file <file>', "file with an admin token (PALIMPSEST_TOKEN, else the home's tokens.json)")
      .option('--only-missing', 'with --server: leave alone what has a value')
      .option(
        '--threads <n>',
        'evaluations at once (default: one a core)',
        wholeNumber('threads', { min: 1, max: 1024 }),
        availableParallelism(),
      )
      .option(...homeOption)
      .addOption(formatOption())
      .option('--json', 'every change as JSON; short for --format json')
      .addHelpText(
        'after',
        help(
          [
            'palimpsest rescore --dry-run',
            'palimpsest rescore fashion-mnist-5k.small-cnn.random-10',
            'palimpsest rescore fashion-mnist-5k.small-cnn.class-wise --server https://palimpsest.example --only-missing',
          ],
          'Older values stay beside the new ones. A server computes what it can; what is too much for it is computed here.\nEnds with 1 when evidence is missing or damaged. Ctrl-C stops; the same command again changes nothing twice.',
        ),
      )
      .action(execute),
}

interface Report {
  dryRun: boolean
  evaluations: number
  changes: Change[]
  /** At a server: values that only their runner had computed, and that came out the same. */
  confirmed: number
  problems: Problem[]
  /** Metrics that this release, or the server, does not compute. */
  unknown: string[]
  /** Stages of an earlier release that do not say what they are. */
  nameless: number
}

interface Context {
  store: Store
  scoring: Scoring
  signal: AbortSignal
}

async function execute(words: string[], options: Options): Promise<void> {
  if (options.server === undefined && options.onlyMissing) throw new UsageError('--only-missing belongs to --server')
  if (options.server !== undefined && words.length === 0)
    throw new UsageError('--server: expected the slug of at least one benchmark or suite, got none')
  const format = formatOf(options)
  const home = await openHome(options.home)
  const { signal, release } = onInterrupts(() => note('Stopping; what was written stays.'))
  const scoring = openScoring({ home, threads: options.threads, signal })
  const began = performance.now()
  try {
    const context = { store: openStore(home), scoring, signal }
    const found =
      options.server === undefined
        ? await atHome(words, options, context)
        : await atServer(words, options, { ...context, server: serverOf(options.server), home })
    tell({ ...found, seconds: (performance.now() - began) / 1000 }, format)
  } finally {
    release()
    await scoring.close()
  }
}

async function atHome(words: string[], { threads, dryRun = false }: Options, context: Context): Promise<Report> {
  const targets = await Promise.all(words.map((word) => targetFrom(word)))
  const benchmarks = words.length > 0 ? targets.flatMap(({ benchmarks }) => benchmarks) : [...known.values()]
  const { evaluations, nameless, unknown } = await findEvaluations(context.store, benchmarks)
  const view = showCounting(evaluations.length, 'evaluations')
  const rescored = await atOnce(evaluations, threads + 1, async (evaluation) => {
    const found = await rescoreStage(evaluation, { ...context, dryRun })
    view.add(1)
    return found
  }).finally(view.stop)
  return {
    dryRun,
    evaluations: evaluations.length,
    changes: rescored.flatMap(({ changes }) => changes),
    confirmed: 0,
    problems: rescored.flatMap(({ problems }) => problems),
    unknown,
    nameless,
  }
}

async function atServer(
  slugs: string[],
  { tokenFile, threads, dryRun = false, onlyMissing = false }: Options,
  { store, scoring, signal, server, home }: Context & { server: string; home: string },
): Promise<Report> {
  const token = await tokenFor('admin', { tokenFile, home })
  const client = createClient({ server, token })
  const api = apiOf(client)
  const all: Report = { dryRun, evaluations: 0, changes: [], confirmed: 0, problems: [], unknown: [], nameless: 0 }
  const add = (found: { changes: Renamed<Change>[]; confirmed: number; problems: Renamed<Problem>[] }) => {
    all.changes.push(...found.changes.map(ofStage))
    all.confirmed += found.confirmed
    all.problems.push(...found.problems.map(ofStage))
  }
  for (const slug of slugs) {
    const onPortion = (done: number, total: number) => note(`${slug}: the server looked at ${done} of ${total}`)
    const there = await rescoreThere(api, slug, { dryRun, onlyMissing }, { signal, onPortion })
    add(there)
    all.evaluations += there.evaluations
    all.unknown.push(...there.unknown)
    if (there.left.length === 0) continue
    for (const why of new Set(there.left.map(({ why }) => why))) note(`The server left work to this machine: ${why}.`)
    const view = showCounting(there.left.length, 'evaluations here')
    const transfer = { client, store, signal, say: note }
    const here = scoreLeft(api, there.left, { transfer, scoring, threads, dryRun, onDone: () => view.add(1) })
    add(await here.finally(view.stop))
  }
  return { ...all, unknown: [...new Set(all.unknown)] }
}

/** What a server calls a job is the same stage. */
type Renamed<Entry> = Omit<Entry, 'key'> & { job: string }
const ofStage = <Rest extends object>({ job, ...rest }: Rest & { job: string }) => ({ key: job, ...rest })

function tell(found: Report & { seconds: number }, format: Format): void {
  const { changes, confirmed, problems, evaluations, nameless, unknown, seconds, dryRun } = found
  if (format === 'json') printJson(found)
  else if (format !== 'table') printSheets([rescoredSheet(changes)], format)
  else if (changes.length > 0) for (const line of rescoredTable(changes)) print(line)
  for (const named of unknown) note(`${named}: this release has no such metric; its values stay as they are.`)
  if (nameless > 0) {
    const one = nameless === 1
    note(
      `Left out: ${plural(nameless, 'stage')} of an earlier release, whose ${one ? 'file does' : 'files do'} not say what was measured.`,
    )
  }
  for (const { key, why } of problems) note(`${styled('red', '✗')} ${key}: ${why}`)
  const many = plural(changes.length, 'value')
  const outcome =
    changes.length === 0 ? 'every value is as it was' : dryRun ? `${many} would change` : `${many} changed`
  const same = confirmed > 0 ? `; ${plural(confirmed, 'value')} confirmed that only the runner had computed` : ''
  note(`Scored ${plural(evaluations, 'evaluation')} in ${duration(seconds)}: ${outcome}${same}.`)
  const failed = new Set(problems.map(({ key }) => key)).size
  if (failed > 0) throw new Error(`${plural(failed, 'evaluation')} of ${evaluations} could not be scored in full`)
}
