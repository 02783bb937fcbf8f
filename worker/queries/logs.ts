/** Writes job logs: chunks in R2, their places in D1. */
import { and, eq, sql } from 'drizzle-orm'
import { ApiError } from '../../schema/errors.ts'
import { jobs } from '../../schema/tables/jobs.ts'
import { logChunks } from '../../schema/tables/log-chunks.ts'
import type { Database } from '../database.ts'
import { heldBy, requireLease, stale } from './leases.ts'

/** Where a chunk lies in R2. */
export const chunkPath = (key: string, attempt: number, offset: number) => `logs/${key}/${attempt}/${offset}`

export interface Chunk {
  token: string
  offset: number
  text: string
}

/** Where a chunk lies: the delivery that wrote it, and the bytes and line breaks before it. */
export interface ChunkPlace {
  attempt: number
  offset: number
  line: number
}

/** Appends a chunk and returns the new length, with the chunk's place. A chunk that was stored before is accepted again as
 *  long as it is the same; it has no new place. */
export async function appendLog(
  db: Database,
  store: R2Bucket,
  key: string,
  chunk: Chunk,
): Promise<{ offset: number; place: ChunkPlace | null }> {
  const { token, offset } = chunk
  const bytes = new TextEncoder().encode(chunk.text)
  const { attempt } = await requireLease(db, key, token)
  const length = await lengthOf(db, key)
  if (offset !== length) {
    const known = offset < length ? await store.get(chunkPath(key, attempt, offset)) : null
    if (known && (await known.text()) === chunk.text) return { offset: length, place: null }
    throw gap(offset, length)
  }
  await store.put(chunkPath(key, attempt, offset), bytes)
  const held = and(heldBy(key, token), eq(jobs.logLength, offset))
  const place = { jobKey: jobs.key, attempt: jobs.deliveries, offset: jobs.logLength }
  const [[at], written] = await db.batch([
    db
      .insert(logChunks)
      .select(
        db
          .select({
            ...place,
            bytes: sql<number>`${bytes.byteLength}`.as('bytes'),
            line: linesBefore.as('line'),
            lines: sql<number>`${chunk.text.split('\n').length - 1}`.as('lines'),
          })
          .from(jobs)
          .where(held),
      )
      .returning({ attempt: logChunks.attempt, offset: logChunks.offset, line: logChunks.line }),
    db
      .update(jobs)
      .set({ logLength: offset + bytes.byteLength })
      .where(held)
      .returning({ logLength: jobs.logLength }),
  ])
  if (written[0]) return { offset: written[0].logLength, place: at ?? null }
  // Another write came between: either the lease or the offset moved on.
  await requireLease(db, key, token)
  throw gap(offset, await lengthOf(db, key))
}

/** Of the delivery that holds the job in the outer statement. */
const linesBefore = sql<number>`COALESCE((SELECT before.line + before.lines FROM log_chunks before
  WHERE before.job_key = ${jobs.key} AND before.attempt = ${jobs.deliveries} ORDER BY before."offset" DESC LIMIT 1), 0)`

const gap = (offset: number, length: number) =>
  new ApiError('log_gap', `expected offset ${length}, got ${offset}; send what is missing from there`)

async function lengthOf(db: Database, key: string): Promise<number> {
  const row = await db.select({ length: jobs.logLength }).from(jobs).where(eq(jobs.key, key)).get()
  if (!row) throw stale(key)
  return row.length
}
