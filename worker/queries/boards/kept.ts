/** Boards are computed when something changed and kept: what a view reads depends neither on how many runs there are nor on how
 *  many there ever were.
 *
 *  What a change touches is written down by triggers in the change's own transaction (schema/tables/board-changes.ts), so no
 *  statement can forget it and no end can fall between two computations. The first view after a change reads the runs of the
 *  submissions that changed, about ten rows each, puts them in the place of what the board was made of, computes the board anew
 *  and keeps it. Of views that do so at once one writes: a write names the version that it began from, and fails as a whole
 *  where another came first; the others then find the newer board. A change that comes meanwhile has a higher count than the one
 *  that is removed, and stays.
 *
 *  A table of rows kept current by the statements that end jobs was the other way: ranks and gaps compare all rows, so each end
 *  would compute the board inside its transaction, in SQL. A board computed by another release is not used, since its code may
 *  differ. */
import { and, eq, sql } from 'drizzle-orm'
import { definitionIn } from '../../../schema/api/benchmark.ts'
import type { Board } from '../../../schema/api/board.ts'
import type { SuiteBoard } from '../../../schema/api/suite.ts'
import type { Benchmark } from '../../../schema/benchmark.ts'
import { definitionOf } from '../../../schema/plan.ts'
import type { Suite } from '../../../schema/suite.ts'
import { boardChanges } from '../../../schema/tables/board-changes.ts'
import { boards } from '../../../schema/tables/boards.ts'
import { type Database, isoTime, prepared, randomHex, type Statement } from '../../bindings/database.ts'
import type { Keeping } from '../../bindings/env.ts'
import { allBenchmarks, suites, suiteWith } from '../../http/catalogue.ts'
import { boardOf } from './board.ts'
import { type Entered, enteredIn, groundOf } from './groups.ts'
import { suiteBoardOf } from './suite-board.ts'
import { type MethodRow, methodRowsOf, newestFirst, newestOf, type Summary, summaryOf } from './summaries.ts'

type Change = typeof boardChanges.$inferSelect
/** By slug, of benchmarks and suites. */
type Versions = Map<string, string>

/** Characters of one piece; D1 holds 2 MB a row, and a character is at most three bytes. */
const PIECE = 500_000
/** A view that another one overtook this often in a row gives up. */
const MAX_TRIES = 20

export async function getBoard(keeping: Keeping, benchmark: Benchmark): Promise<Board> {
  const [board] = await read<Board>(keeping, { part: 'board', benchmarks: [benchmark], suites: [] })
  return { ...board![1], generatedAt: isoTime(Date.now()) }
}

export async function getSuiteBoard(keeping: Keeping, suite: Suite): Promise<SuiteBoard> {
  const [board] = await read<SuiteBoard>(keeping, { part: 'board', benchmarks: [], suites: [suite] })
  return { ...board![1], generatedAt: isoTime(Date.now()) }
}

/** Those of suites, and of benchmarks that belong to none, by slug. */
const entries = () => ({
  benchmarks: allBenchmarks()
    .filter(({ slug }) => !suiteWith(slug))
    .map(definitionIn),
  suites: [...suites.values()],
})

export const getSummaries = async (keeping: Keeping): Promise<Map<string, KeptSummary>> =>
  new Map(await read<KeptSummary>(keeping, { part: 'head', ...entries() }))

/** Rows of one method, by the slug of their board. */
export const getMethodRows = async (keeping: Keeping, method: string): Promise<Map<string, MethodRow[]>> =>
  new Map(await read<MethodRow[]>(keeping, { part: `method/${method}`, ...entries() }))

export interface KeptSummary extends Summary {
  /** How many runs each class of a suite has, by the slug of its benchmark. */
  classes: Record<string, number>
}

interface Wanted {
  part: string
  benchmarks: Benchmark[]
  suites: Suite[]
}

/** Another view kept a newer board meanwhile: look again. */
class Overtaken extends Error {
  override name = 'Overtaken'
}

/** A part of each board that has it, brought up to date first. */
async function read<Part>(keeping: Keeping, wanted: Wanted): Promise<[string, Part][]> {
  for (let tries = 1; ; tries++) {
    try {
      return (await currentParts(keeping, wanted)).map(([slug, { json }]) => [slug, JSON.parse(json) as Part])
    } catch (error) {
      if (!(error instanceof Overtaken) || tries === MAX_TRIES) throw error
    }
  }
}

async function currentParts(keeping: Keeping, { part, benchmarks, suites }: Wanted): Promise<[string, Kept][]> {
  const versions = await upToDate(keeping, { benchmarks, suites })
  const slugs = [...benchmarks, ...suites].map(({ slug }) => slug)
  const found = [...(await piecesOf(keeping.db, part, slugs))]
  if (found.some(([slug, { version }]) => version !== versions.get(slug))) throw new Overtaken(slugs.join())
  return found
}

const listed = (values: string[]) => sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`

interface Kept {
  version: string
  json: string
}

/** A part of some boards, by slug. */
async function piecesOf(db: Database, part: string, slugs: string[]): Promise<Map<string, Kept>> {
  const rows = await db
    .select()
    .from(boards)
    .where(and(eq(boards.part, part), sql`${boards.slug} IN ${listed(slugs)}`))
    .orderBy(boards.slug, boards.piece)
  return new Map(
    [...Map.groupBy(rows, ({ slug }) => slug)].map(([slug, pieces]) => [
      slug,
      { version: pieces[0]!.version, json: pieces.map(({ json }) => json).join('') },
    ]),
  )
}

/** Computes those of some boards that changed. */
async function upToDate(
  keeping: Keeping,
  { benchmarks, suites }: Pick<Wanted, 'benchmarks' | 'suites'>,
): Promise<Versions> {
  const { db, release } = keeping
  const all = [...benchmarks, ...suites.flatMap((suite) => suite.benchmarks)]
  const definitions = await Promise.all(all.map(definitionOf))
  const slugs = [...all, ...suites].map(({ slug }) => slug)
  const [heads, changes] = await db.batch([
    db
      .select({ slug: boards.slug, version: boards.version })
      .from(boards)
      .where(and(eq(boards.part, 'head'), sql`${boards.slug} IN ${listed(slugs)}`, eq(boards.piece, 0))),
    db
      .select()
      .from(boardChanges)
      .where(sql`${boardChanges.definitionSha256} IN ${listed(definitions)}`),
  ])
  const versions: Versions = new Map(heads.map(({ slug, version }) => [slug, version]))
  const changed = Map.groupBy(changes, ({ definitionSha256 }) => definitionSha256)
  for (const [index, benchmark] of all.entries()) {
    const definition = definitions[index]!
    const own = changed.get(definition) ?? []
    const version = versions.get(benchmark.slug) ?? null
    if (version?.startsWith(`${release} `) && own.length === 0) continue
    versions.set(benchmark.slug, await renewed(keeping, { benchmark, definition, version, changes: own }))
  }
  for (const suite of suites) versions.set(suite.slug, await suiteUpToDate(db, suite, versions))
  return versions
}

interface Renewal {
  benchmark: Benchmark
  definition: string
  /** What is kept, by whatever release. */
  version: string | null
  changes: Change[]
}

/** Takes the changes in, and returns the new version. Fails where another view was quicker. */
async function renewed(
  { db, release }: Keeping,
  { benchmark, definition, version, changes }: Renewal,
): Promise<string> {
  const { slug } = benchmark
  const before = version?.startsWith(`${release} `) ? (await piecesOf(db, 'ground', [slug])).get(slug) : null
  if (before && before.version !== version) throw new Overtaken(slug)
  const ids = before ? changes.map(({ submissionId }) => submissionId) : undefined
  const entered = new Map<string, Entered>()
  const take = (each: Entered) => entered.set(each.submission.id, each)
  if (before) (JSON.parse(before.json) as Entered[]).forEach(take)
  for (const each of await enteredIn(db, benchmark, definition, ids)) take(each)
  const all = [...entered.values()].sort((a, b) => a.submission.sequence - b.submission.sequence)
  const ground = groundOf(benchmark, all)
  const board = boardOf(ground)
  const head: KeptSummary = { ...summaryOf(board, newestOf(ground, all)), classes: {} }
  const next = `${release} ${randomHex(8)}`
  const parts = { head, ground: all, board, ...methodParts(methodRowsOf(board)) }
  const taken = JSON.stringify(changes.map(({ submissionId, count }) => [submissionId, count]))
  await write(db, slug, { before: version, next, parts }, [
    db.delete(boardChanges).where(
      and(
        eq(boardChanges.definitionSha256, definition),
        sql`(${boardChanges.submissionId}, ${boardChanges.count}) IN
          (SELECT value ->> 0, value ->> 1 FROM json_each(${taken}))`,
      ),
    ),
  ])
  return next
}

/** A suite's board is as new as those of its benchmarks: its version is made of theirs. */
async function suiteUpToDate(db: Database, suite: Suite, versions: Versions): Promise<string> {
  const { slug } = suite
  const before = versions.get(slug) ?? null
  const slugs = suite.benchmarks.map((benchmark) => benchmark.slug)
  const next = slugs.map((each) => versions.get(each)).join(', ')
  if (before === next) return next
  const found = await piecesOf(db, 'ground', slugs)
  const grounds = suite.benchmarks.map((benchmark) => {
    const own = found.get(benchmark.slug)
    if (!own || own.version !== versions.get(benchmark.slug)) throw new Overtaken(benchmark.slug)
    const entered = JSON.parse(own.json) as Entered[]
    return { entered, ground: groundOf(benchmark, entered) }
  })
  const board = suiteBoardOf(
    suite,
    grounds.map(({ ground }) => ground),
  )
  const classes = grounds.map(({ ground: { benchmark, groups } }): [string, number] => [
    benchmark.slug,
    [...groups.values()].reduce((sum, { runs }) => sum + runs.length, 0),
  ])
  const newest = newestFirst(grounds.flatMap(({ entered, ground }) => newestOf(ground, entered)))
  const head: KeptSummary = { ...summaryOf(board, newest), classes: Object.fromEntries(classes) }
  const parts = { head, board, ...methodParts(methodRowsOf(board)) }
  await write(db, slug, { before, next, parts })
  return next
}

const methodParts = (rows: Map<string, MethodRow[]>) =>
  Object.fromEntries([...rows].map(([method, own]) => [`method/${method}`, own]))

interface Writing {
  before: string | null
  next: string
  parts: Record<string, unknown>
}

/** Puts the parts in the place of what is kept, in one transaction, while that is still the version `before`. */
async function write(
  db: Database,
  slug: string,
  { before, next, parts }: Writing,
  others: Statement[] = [],
): Promise<void> {
  const rows = Object.entries(parts).flatMap(([part, value]) =>
    inPieces(JSON.stringify(value)).map((json, piece) => ({ part, slug, piece, version: next, json })),
  )
  // What is no JSON is an error, which ends the transaction.
  const guard = `SELECT json(CASE WHEN (SELECT version FROM boards WHERE part = 'head' AND slug = ? AND piece = 0) IS ?
    THEN 'true' ELSE 'overtaken' END)`
  const statements: Statement[] = [
    db.$client.prepare(guard).bind(slug, before),
    db.delete(boards).where(eq(boards.slug, slug)),
    ...rows.map((row) => db.insert(boards).values(row)),
    ...others,
  ]
  try {
    await db.$client.batch(statements.map((each) => prepared(db, each)))
  } catch (error) {
    if (/malformed JSON/i.test((error as Error).message)) throw new Overtaken(slug)
    throw error
  }
}

/** At least one, and no character is cut. */
function inPieces(text: string): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length || at === 0; ) {
    let end = Math.min(text.length, at + PIECE)
    // Between the halves of a surrogate pair.
    if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? '') && end < text.length) end -= 1
    pieces.push(text.slice(at, end))
    at = Math.max(end, 1)
  }
  return pieces
}
