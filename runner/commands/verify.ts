/** `palimpsest verify`: checks a run, or all of a board, against what its runners signed, and computes every number again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiOf } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { numbersOf, type Recompute, recomputing } from '../agent/recompute.ts'
import type { Check, CheckedStage } from '../agent/verify.ts'
import { verifyBoard } from '../agent/verify-board.ts'
import { openScoring } from '../pipeline/scoring.ts'
import { openStore } from '../store/store.ts'
import { note, print, printJson, styledData } from '../terminal/output.ts'
import { stageLabel } from '../terminal/stages.ts'
import { plural } from '../words/numbers.ts'
import { UsageError } from '../words/usage.ts'
import { type Command, help, serverOf, serverOption } from './parts/command.ts'
import { onInterrupts } from './parts/interrupts.ts'

interface Options {
  server?: string
  board?: string
  key?: string
  json?: boolean
}

export const verify: Command = {
  group: 'At a server',
  add: (program) =>
    program
      .command('verify')
      .description(
        'check a run or a board against the manifests that its runners signed, and compute every number again',
      )
      .argument('[run]', 'its id, as its page shows it')
      .option('--board <slug>', 'instead of a run: every run and row of the board of a benchmark')
      .option(...serverOption)
      .option('--key <fingerprint>', 'believe only the runner with this key, which its owner told you')
      .option('--json', 'the checks as JSON')
      .addHelpText(
        'after',
        help(
          [
            'palimpsest verify RUN --server https://palimpsest.example',
            'palimpsest verify --board fashion-mnist-5k.small-cnn.random-10 --server https://palimpsest.example',
          ],
          'Downloads logs and artifacts to hash them, and computes metrics, gaps, times, spreads and ranks from what was signed; nothing is kept. Ends with 1 when anything differs.',
        ),
      )
      .action(execute),
}

type Api = ReturnType<typeof apiOf>
type Asked = Options & { api: Api; recompute: Recompute }

async function execute(id: string | undefined, options: Options): Promise<void> {
  const { board, server, key, json } = options
  if ((id === undefined) === (board === undefined)) {
    throw new UsageError('expected the id of a run, or --board and the slug of a benchmark')
  }
  const client = createClient({ server: serverOf(server) })
  const api = apiOf(client)
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-verify-'))
  const { signal, release } = onInterrupts(() => note('Stopping; nothing is kept.'))
  const scoring = openScoring({ home: folder, threads: availableParallelism(), signal })
  const onStage = json || board !== undefined ? undefined : tellStage
  const recompute = recomputing({
    client,
    api,
    scoring,
    store: openStore(folder),
    trusted: key,
    signal,
    ...(onStage && { onStage }),
  })
  try {
    if (id === undefined) await ofBoard(board!, { ...options, api, recompute })
    else await ofRun(id, { ...options, api, recompute })
  } finally {
    release()
    await scoring.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function ofRun(id: string, { json, recompute }: Asked): Promise<void> {
  const own = await recompute(id)
  const { run, stages } = own
  if (stages.length === 0) throw new UsageError(`no stage of run ${id} has finished yet: there is nothing to verify`)
  const numbers = await numbersOf(own, recompute)
  if (json) printJson({ stages, numbers })
  else {
    print('What the page shows, computed again from what was signed')
    for (const check of numbers) tellCheck(check)
  }
  refuseBad([...stages.flatMap(({ checks }) => checks), ...numbers])
  const open = run.stages.length - stages.length
  const left = open > 0 ? `; ${open} of ${run.stages.length} stages have not finished` : ''
  note(`All that is there is what was signed, and every number follows from it${left}.`)
}

async function ofBoard(slug: string, { json, api, recompute }: Asked): Promise<void> {
  const checked = await verifyBoard(await api.board(slug), recompute, (found) => {
    if (json) return
    const all = checksOf(found)
    const bad = all.filter(({ problem }) => problem !== null)
    const words = `${found.row}: ${plural(found.runs.length, 'run')}, ${plural(all.length, 'check')}`
    tellCheck({ part: words, problem: bad.length > 0 ? `${bad.length} failed` : null })
    for (const check of bad) tellCheck(check)
  })
  if (checked.length === 0) throw new UsageError(`the board of ${slug} has no row yet: there is nothing to verify`)
  if (json) printJson(checked)
  refuseBad(checked.flatMap(checksOf))
  note(`Every number of the board follows from what was signed: ${plural(checked.length, 'row')}.`)
}

/** With the run that each is about. */
const checksOf = ({ runs, checks }: Awaited<ReturnType<typeof verifyBoard>>[number]): Check[] => [
  ...runs.flatMap(({ id, stages, numbers }) =>
    [...stages.flatMap((stage) => stage.checks), ...numbers].map(({ part, problem }) => ({
      part: `run ${id}: ${part}`,
      problem,
    })),
  ),
  ...checks,
]

function tellStage({ spec, key }: Parameters<typeof stageOf>[0], found?: CheckedStage): void {
  if (!found) {
    print(stageOf({ spec, key }))
    return
  }
  if (found.runner) print(`  by ${found.runner.name} (${found.runner.id}), key ${found.runner.fingerprint}`)
  for (const { runner, position, sha256 } of found.began) {
    print(`  went on from the checkpoint ${sha256.slice(0, 12)} of ${runner ?? 'an unknown runner'} at ${position}`)
  }
  for (const check of found.checks) tellCheck(check)
}

const stageOf = ({ spec, key }: { spec: Parameters<typeof stageLabel>[0]; key: string }) =>
  `${stageLabel(spec)}  ${styledData('dim', key)}`

const tellCheck = ({ part, problem }: Check): void =>
  print(problem === null ? `  ${styledData('green', '✓')} ${part}` : `  ${styledData('red', '✗')} ${part}: ${problem}`)

function refuseBad(checks: Check[]): void {
  const bad = checks.filter(({ problem }) => problem !== null)
  if (bad.length > 0) throw new Error(`not what was signed: ${bad.map(({ part }) => part).join(', ')}`)
}
