/** Boards are computed when something changed and kept: what a view reads depends neither on how many runs there are nor on how
 *  many there ever were.
 *
 *  What a change touches is written down by triggers in the change's own transaction (schema/tables/board-changes.ts), so no
 *  statement can forget it and no end can fall between two computations. The first view after a change reads the runs of the
 *  submissions that changed, about ten rows each, puts them in the place of what the board was made of, computes the board anew
 *  and keeps it. Of views that do so at once one writes: a write names the version that it began from, and changes nothing where
 *  another came first. The others show what they computed, which has all that was in when they began: trying again would not end
 *  where boards are many or change without pause. A change that comes meanwhile has a higher count than the one that is removed,
 *  and stays.
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
import { isoTime, randomHex } from '../../bindings/database.ts'
import type { Keeping } from '../../bindings/env.ts'
import { allBenchmarks, suites, suiteWith } from '../../http/catalogue.ts'
import { boardOf } from './board.ts'
import { type Entered, enteredIn, groundOf } from './groups.ts'
import { joined, listed, type Part, piecesOf, replaceParts } from './pieces.ts'
import { suiteBoardOf } from './suite-board.ts'
import { type MethodRow, methodRowsOf, newestFirst, newestOf, type Summary, summaryOf } from './summaries.ts'

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

/** What a view computed, or found just computed by another. */
interface Renewed {
  version: string
  /** What the board is made of. */
  entered: Entered[]
  /** As JSON, by their names; of a board that another view computed, the wanted one at most. */
  parts: Map<string, string>
}

/** A part of each board that has it, as of now. */
async function read<Content>(keeping: Keeping, wanted: Wanted): Promise<[string, Content][]> {
  const { db, release } = keeping
  const { part, benchmarks, suites } = wanted
  const all = [...benchmarks, ...suites.flatMap((suite) => suite.benchmarks)]
  const definitions = await Promise.all(all.map(definitionOf))
  const slugs = [...benchmarks, ...suites].map(({ slug }) => slug)
  // In one transaction: what is kept and whether it is still true.
  const [heads, changes, pieces] = await db.batch([
    db
      .select({ slug: boards.slug, version: boards.version })
      .from(boards)
      .where(
        and(
          eq(boards.part, 'head'),
          sql`${boards.slug} IN ${listed([...all, ...suites].map(({ slug }) => slug))}`,
          eq(boards.piece, 0),
        ),
      ),
    db
      .selectDistinct({ definition: boardChanges.definitionSha256 })
      .from(boardChanges)
      .where(sql`${boardChanges.definitionSha256} IN ${listed(definitions)}`),
    piecesOf(db, part, slugs),
  ])
  const versions = new Map(heads.map(({ slug, version }) => [slug, version]))
  const changed = new Set(changes.map(({ definition }) => definition))
  const renewed = new Map<string, Renewed>()
  for (const [index, benchmark] of all.entries()) {
    const definition = definitions[index]!
    if (isOf(release, versions.get(benchmark.slug)) && !changed.has(definition)) continue
    renewed.set(benchmark.slug, await renew(keeping, { benchmark, definition, part }))
  }
  /** By slug; a board that is not here is as it was kept. */
  const made = new Map([...renewed].map(([slug, { parts }]) => [slug, parts]))
  for (const suite of suites) {
    const parts = await renewSuite(keeping, { suite, part, versions, renewed })
    if (parts) made.set(suite.slug, parts)
  }
  const kept = joined(pieces)
  return slugs.flatMap((slug) => {
    const json = made.has(slug) ? made.get(slug)!.get(part) : kept.get(slug)?.json
    return json === undefined ? [] : [[slug, JSON.parse(json) as Content]]
  })
}

const isOf = (release: string, version: string | undefined): version is string =>
  version?.startsWith(`${release} `) ?? false

interface Renewal {
  benchmark: Benchmark
  definition: string
  /** The one that is wanted. */
  part: string
}

/** Takes in what changed since the board was kept, all of it where there is none of this release, and keeps the new one unless
 *  another view was quicker. */
async function renew({ db, release }: Keeping, { benchmark, definition, part }: Renewal): Promise<Renewed> {
  const { slug } = benchmark
  // Anew: while this view was busy with another board, someone may have kept this one.
  const [heads, grounds, pieces, changes] = await db.batch([
    piecesOf(db, 'head', [slug]),
    piecesOf(db, 'ground', [slug]),
    piecesOf(db, part, [slug]),
    db.select().from(boardChanges).where(eq(boardChanges.definitionSha256, definition)),
  ])
  const before = joined(heads).get(slug)?.version
  const ground = isOf(release, before) ? joined(grounds).get(slug) : undefined
  if (ground && changes.length === 0) {
    const wanted = joined(pieces).get(slug)
    const parts = new Map(wanted && [[part, wanted.json]])
    return { version: ground.version, entered: JSON.parse(ground.json) as Entered[], parts }
  }
  const entered = new Map<string, Entered>()
  const take = (each: Entered) => entered.set(each.submission.id, each)
  if (ground) (JSON.parse(ground.json) as Entered[]).forEach(take)
  const ids = ground && changes.map(({ submissionId }) => submissionId)
  for (const each of await enteredIn(db, benchmark, definition, ids)) take(each)
  const all = [...entered.values()].sort((a, b) => a.submission.sequence - b.submission.sequence)
  const made = groundOf(benchmark, all)
  const board = boardOf(made)
  const head: KeptSummary = { ...summaryOf(board, newestOf(made, all)), classes: {} }
  const version = `${release} ${randomHex(8)}`
  const parts = asJson({ head, ground: all, board, ...methodParts(methodRowsOf(board)) })
  const taken = JSON.stringify(changes.map(({ submissionId, count }) => [submissionId, count]))
  await replaceParts(db, {
    ...{ slug, before: before ?? null, version, parts },
    others: [
      db.delete(boardChanges).where(
        and(
          eq(boardChanges.definitionSha256, definition),
          sql`(${boardChanges.submissionId}, ${boardChanges.count}) IN
            (SELECT value ->> 0, value ->> 1 FROM json_each(${taken}))`,
        ),
      ),
    ],
  })
  return { version, entered: all, parts }
}

interface SuiteRenewal {
  suite: Suite
  part: string
  /** Of what is kept, by slug. */
  versions: Map<string, string>
  renewed: Map<string, Renewed>
}

/** A suite's board is as new as those of its benchmarks: its version is made of theirs. Its parts, or null where those that are
 *  kept are still true. */
async function renewSuite(
  keeping: Keeping,
  { suite, part, versions, renewed }: SuiteRenewal,
): Promise<Map<string, string> | null> {
  const { db, release } = keeping
  const { slug } = suite
  const before = versions.get(slug) ?? null
  const slugs = suite.benchmarks.map((benchmark) => benchmark.slug)
  const versionFrom = (version: (slug: string) => string | undefined) => slugs.map(version).join(', ')
  if (before === versionFrom((each) => renewed.get(each)?.version ?? versions.get(each))) return null
  const found: Map<string, Part> = joined(await piecesOf(db, 'ground', slugs))
  const made = new Map<string, Pick<Renewed, 'version' | 'entered'>>()
  for (const benchmark of suite.benchmarks) {
    const kept = found.get(benchmark.slug)
    const own =
      renewed.get(benchmark.slug) ??
      // Another release may have put its own there since.
      (isOf(release, kept?.version)
        ? { version: kept!.version, entered: JSON.parse(kept!.json) as Entered[] }
        : await renew(keeping, { benchmark, definition: await definitionOf(benchmark), part }))
    made.set(benchmark.slug, own)
  }
  const grounds = suite.benchmarks.map((benchmark) => {
    const { entered } = made.get(benchmark.slug)!
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
  const parts = asJson({ head, board, ...methodParts(methodRowsOf(board)) })
  await replaceParts(db, { slug, before, version: versionFrom((each) => made.get(each)!.version), parts })
  return parts
}

const methodParts = (rows: Map<string, MethodRow[]>) =>
  Object.fromEntries([...rows].map(([method, own]) => [`method/${method}`, own]))

const asJson = (parts: Record<string, unknown>) =>
  new Map(Object.entries(parts).map(([part, value]) => [part, JSON.stringify(value)]))
