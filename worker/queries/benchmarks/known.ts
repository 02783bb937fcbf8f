/** Brings what this isolate knows of the server's own benchmarks up to date. One row is read where nothing happened; all are where
 *  anything did, since isolates tell each other nothing. */
import { asc, desc } from 'drizzle-orm'
import { type BenchmarkView, viewOfBenchmark } from '../../../schema/api/benchmark.ts'
import { benchmark as shape } from '../../../schema/benchmark.ts'
import { ownBenchmarks } from '../../../schema/tables/own-benchmarks.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import { setOwnBenchmarks } from '../../http/own-benchmarks.ts'

type Row = typeof ownBenchmarks.$inferSelect

/** The word of the newest change that is known. */
let mark: string | null = null
/** Of readings, in the order in which they began: of two at once the later one counts. */
let begun = 0
let taken = 0

/** To be awaited before benchmarks are looked up. */
export async function knowOwnBenchmarks(db: Database): Promise<void> {
  const newest = await db
    .select({ mark: ownBenchmarks.mark })
    .from(ownBenchmarks)
    .orderBy(desc(ownBenchmarks.change))
    .limit(1)
    .get()
  if ((newest?.mark ?? null) === mark) return
  const reading = ++begun
  const rows = await db.select().from(ownBenchmarks).orderBy(asc(ownBenchmarks.createdAt), asc(ownBenchmarks.slug))
  if (reading < taken) return
  taken = reading
  mark = rows.reduce<Row | null>((last, row) => (last && last.change > row.change ? last : row), null)?.mark ?? null
  setOwnBenchmarks(viewsOf(rows))
}

function viewsOf(rows: Row[]): Map<string, BenchmarkView> {
  const next = new Map(rows.flatMap(({ slug, replaces }) => (replaces === null ? [] : [[replaces, slug]])))
  return new Map(
    rows.flatMap(({ slug, definition, author, createdAt, replaces, retiredAt, retiredReason }) => {
      const { data, error } = shape.safeParse(definition)
      if (!data) {
        console.error(`the benchmark ${slug} is none for this release, and is left out: ${error.message}`)
        return []
      }
      const retired = retiredAt === null ? null : { at: isoTime(retiredAt), reason: retiredReason ?? '' }
      const own = { author, createdAt: isoTime(createdAt), replaces, replacedBy: next.get(slug) ?? null, retired }
      return [[slug, viewOfBenchmark(data, own)]]
    }),
  )
}
