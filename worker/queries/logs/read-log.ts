/** Reads job logs by line; log-pieces.ts streams their bytes. A job has one log for each delivery that wrote any. */
import { and, asc, eq, gte, inArray, lt, max, type SQL, sql } from 'drizzle-orm'
import { logChunks } from '../../../schema/tables/log-chunks.ts'
import type { Database } from '../../bindings/database.ts'
import { readPieces } from './log-pieces.ts'

/** How much the log of one delivery holds. */
export interface LogSize {
  attempt: number
  bytes: number
  /** Line breaks; a last line without one is not counted. */
  lines: number
}

/** Logs of some jobs, by job, the latest delivery last. */
export async function logSizes(db: Database, keys: string[]): Promise<Map<string, LogSize[]>> {
  const { jobKey, attempt, offset, bytes, line, lines } = logChunks
  const rows = await db
    .select({
      jobKey,
      attempt,
      bytes: max(sql<number>`${offset} + ${bytes}`).mapWith(Number),
      lines: max(sql<number>`${line} + ${lines}`).mapWith(Number),
    })
    .from(logChunks)
    .where(inArray(jobKey, keys))
    .groupBy(jobKey, attempt)
    .orderBy(asc(attempt))
  const byJob = Map.groupBy(rows, (row) => row.jobKey)
  return new Map([...byJob].map(([key, sizes]) => [key, sizes.map(({ jobKey: _, ...size }) => size)]))
}

/** How much of a job's log there is: of its latest delivery that wrote any, unless `attempt` says which. */
export async function logSize(db: Database, key: string, attempt?: number): Promise<LogSize | undefined> {
  const sizes = (await logSizes(db, [key])).get(key) ?? []
  return attempt === undefined ? sizes.at(-1) : sizes.find((size) => size.attempt === attempt)
}

export interface LogLines {
  /** Number of the first line, counted from 1. */
  first: number
  lines: string[]
  /** Byte after the last complete line. */
  end: number
}

/** The lines numbered from `first` on, at most `most`. A last line that was not ended is a line too. */
export async function readLines(
  db: Database,
  store: R2Bucket,
  key: string,
  { attempt, first, most = Number.POSITIVE_INFINITY }: { attempt: number; first: number; most?: number },
): Promise<LogLines> {
  const { jobKey, line, lines } = logChunks
  // Line n begins after the line break n - 1, so the chunk with that break is the first of interest.
  const { pieces, text } = await textOf(
    db,
    store,
    and(
      eq(jobKey, key),
      eq(logChunks.attempt, attempt),
      gte(sql`${line} + ${lines}`, first - 1),
      Number.isFinite(most) ? lt(line, first - 1 + most) : undefined,
    ),
  )
  const [opening] = pieces
  if (!opening) return { first, lines: [], end: 0 }
  const all = text.split('\n')
  const unfinished = all.at(-1)!
  if (unfinished === '') all.pop()
  const last = pieces.at(-1)!
  const end = last.offset + last.bytes - new TextEncoder().encode(unfinished).byteLength
  const skip = first - 1 - opening.line
  return { first, lines: all.slice(skip, skip + most), end }
}

/** The last lines of a log. */
export const readTail = (db: Database, store: R2Bucket, key: string, { attempt, lines }: LogSize, most: number) =>
  readLines(db, store, key, { attempt, first: Math.max(1, lines - most + 1) })

/** The text of the pieces that match. */
async function textOf(db: Database, store: R2Bucket, where: SQL | undefined) {
  const { pieces, bytes } = await readPieces(db, store, where)
  const decoder = new TextDecoder()
  return { pieces, text: bytes.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode() }
}
