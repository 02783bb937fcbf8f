/** `palimpsest benchmarks`: what an organiser does with a server's own benchmarks, and what everybody sees of them. */
import { randomUUID } from 'node:crypto'
import type { Command as Program } from 'commander'
import { type BenchmarkView, definitionIn, ownDefinition } from '../../schema/api/benchmark.ts'
import type { Benchmark } from '../../schema/benchmark.ts'
import { isUnpinned } from '../../schema/classes.ts'
import { describeIssues } from '../../schema/issues.ts'
import { EXPORTED, withoutPlaces } from '../../schema/parts/model-file.ts'
import { requestContent } from '../../schema/parts/request.ts'
import { type Api, apiOf, boardPage } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { listsOf } from '../pipeline/request.ts'
import { splitsOf } from '../pipeline/splits.ts'
import { planFault } from '../science/catalogue/benchmark-fault.ts'
import { tokenFor } from '../server/tokens.ts'
import { checkClasses } from '../stages/check-classes.ts'
import { dataLoader } from '../stages/data.ts'
import { checkPlaces, dataPlaces, homeOf, openHome } from '../store/home.ts'
import { note, print, printJson } from '../terminal/output.ts'
import { table } from '../terminal/table.ts'
import { UsageError } from '../words/usage.ts'
import { benchmarkFrom, collect } from './parts/arguments.ts'
import { checkBenchmark, classesOf, pinContent } from './parts/check-benchmark.ts'
import { type Command, dataOption, help, homeOption, serverOf, serverOption } from './parts/command.ts'
import { onInterrupts } from './parts/interrupts.ts'

interface Options {
  server?: string
  tokenFile?: string
  home?: string
  data?: string[]
  replaces?: string
  key?: string
  reason: string
  json?: boolean
}

export const benchmarks: Command = {
  group: 'At a server',
  add: (program) => {
    const group = program
      .command('benchmarks')
      .description("see a server's own benchmarks; make, version and retire them (for organisers and admins)")
      .addHelpText(
        'after',
        help(
          [
            'palimpsest benchmarks check pets.json',
            'palimpsest benchmarks create pets.json --server https://palimpsest.example --token-file my.token',
            'palimpsest benchmarks create pets-2.json --replaces own.pets.small-cnn.random-10',
            "palimpsest benchmarks retire own.pets.small-cnn.random-10 --reason 'two classes were mixed up'",
            'palimpsest benchmarks show own.pets.small-cnn.random-10 > pets.json',
          ],
          `A file holds what GET /api/v1/benchmarks/SLUG answers, without "own"; the slug begins with "own.". A definition never
changes: a new version has a slug of its own, own.pets.v2 after own.pets. Of images of yours only the digest is sent:
runners look for them in a folder of that name among their --data, so give these a label and name it under "requires".`,
        ),
      )
    const atServer = (command: Program) => command.option(...serverOption).option('--json', "the API's own JSON")
    const asOrganiser = (command: Program) =>
      atServer(command)
        .option('--token-file <file>', "file with an organiser token (PALIMPSEST_TOKEN, else the home's tokens.json)")
        .option(...homeOption)
    atServer(group.command('list').description("the server's own benchmarks")).action(list)
    group
      .command('show <benchmark>')
      .description('the definition of a benchmark as JSON, which `run` and `create` read')
      .option(...serverOption)
      .action(show)
    group
      .command('check <file>')
      .description('tell what is wrong with a definition, and print what `create` would send')
      .option(...dataOption, collect)
      .option(...homeOption)
      .action(check)
    asOrganiser(group.command('create <file>').description('make a benchmark, or a new version of one'))
      .option('--replaces <slug>', 'the version before, which is retired')
      .option('--key <text>', 'idempotency key: the same key and request make one benchmark, however often it is sent')
      .option(...dataOption, collect)
      .action(create)
    asOrganiser(group.command('retire <benchmark>').description('no new submissions; runs go on and the board stays'))
      .requiredOption('--reason <text>', 'why; everybody reads it')
      .action(retire)
    return group
  },
}

async function organiser({ server, tokenFile, home }: Options): Promise<Api> {
  const token = await tokenFor('organiser', { tokenFile, home: homeOf(home) })
  return apiOf(createClient({ server: serverOf(server), token, retryForMs: 10_000 }))
}

const anybody = ({ server }: Options): Api => apiOf(createClient({ server: serverOf(server), retryForMs: 5_000 }))

async function list(options: Options): Promise<void> {
  const all = (await anybody(options).benchmarks()).filter(({ own }) => own !== null)
  if (options.json) return printJson(all)
  if (all.length === 0) return note('This server has no benchmark of its own.')
  const titles = ['Benchmark', 'Title', 'By', 'State'].map((title) => ({ title }))
  for (const line of table(titles, all.map(rowOf))) print(line)
}

const rowOf = ({ slug, title, own }: BenchmarkView): string[] => [slug, title, own!.author, stateOf(own!)]

const stateOf = ({ retired, replacedBy }: NonNullable<BenchmarkView['own']>): string =>
  replacedBy !== null ? `replaced by ${replacedBy}` : retired ? `retired: ${retired.reason}` : 'open'

const show = async (slug: string, options: Options): Promise<void> =>
  printJson(definitionIn(await anybody(options).benchmark(slug)))

async function check(file: string, options: Options): Promise<void> {
  printJson(await definitionFrom(file, options))
  note('Nothing is wrong with it.')
}

/** Checked as a server does, and more: here are the images. */
async function definitionFrom(file: string, { home, data: folders }: Options): Promise<Benchmark> {
  const named = await benchmarkFrom(file)
  checkBenchmark(named)
  const places = { ...dataPlaces(await openHome(home), folders), lists: listsOf([named]) }
  await checkPlaces(places)
  const { signal, release } = onInterrupts()
  try {
    const data = dataLoader(places)
    const { benchmark: pinned, models } = await pinContent(named, data, { places, signal })
    checkClasses(pinned, await classesOf(pinned, data, signal))
    if (pinned.request.kind === 'items') await splitsOf(pinned, pinned.seeds, { data, places, signal })
    const { path, ...dataset } = pinned.dataset
    const model = withoutPlaces(pinned.model)
    const benchmark = { ...pinned, dataset, model, request: requestContent(pinned.request) }
    const { error } = ownDefinition.safeParse(benchmark)
    if (error) throw new UsageError(`${file}: ${describeIssues(error, benchmark)}`)
    const fault = await planFault(benchmark)
    if (fault !== null) throw new UsageError(`${file}: ${fault}`)
    if (path !== undefined)
      note(
        `Runners look for the images of ${path} in ${dataset.id === 'image-npz' ? `a file ${dataset.digest}.npz` : `a folder ${dataset.digest}`} among their --data.`,
      )
    for (const [sha256, path] of Object.entries(models))
      note(`Runners look for ${path} as ${sha256}.onnx, or in a folder ${sha256}, among their --data.`)
    const list = listWords(pinned)
    if (list !== null) note(list)
    const files = [isUnpinned(dataset) && 'images', benchmark.model.id === EXPORTED && 'files'].find(Boolean)
    if (files && !benchmark.requires.labels) {
      note(
        `Any runner may be asked, also one without these ${files}: name a label of those that have them under "requires".`,
      )
    }
    return benchmark
  } finally {
    release()
  }
}

/** Where runners look for the list of a request. */
function listWords({ request, requires }: Benchmark): string | null {
  if (request.kind !== 'items') return null
  const those = requires.labels ? '' : '; name a label of runners that have it under "requires"'
  return `Runners look for the list of ${request.path ?? 'images'} as ${request.sha256}.npy, .txt or .json among their --data${those}.`
}

async function create(file: string, options: Options): Promise<void> {
  const benchmark = await definitionFrom(file, options)
  const api = await organiser(options)
  const { replaces, key = randomUUID() } = options
  const made = await api.createBenchmark({ benchmark, ...(replaces !== undefined && { replaces }) }, key)
  if (options.json) printJson(made)
  else print(made.slug)
  note(`Its board: ${boardPage(api.server, made.slug)}${replaces === undefined ? '' : `; ${replaces} is retired`}`)
}

async function retire(slug: string, options: Options): Promise<void> {
  const retired = await (await organiser(options)).retireBenchmark(slug, { reason: options.reason })
  if (options.json) printJson(retired)
  note(`${slug} takes no submissions any more: ${retired.own?.retired?.reason}`)
}
