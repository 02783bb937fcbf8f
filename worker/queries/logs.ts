/** Job logs: chunks in R2, their places in D1. */
import { and, asc, eq, sql } from 'drizzle-orm'
import { ApiError } from '../../schema/errors.ts'
import { jobs } from '../../schema/tables/jobs.ts'
import { logChunks } from '../../schema/tables/log-chunks.ts'
import type { Database } from '../database.ts'
import { heldBy, requireLease, stale } from './leases.ts'

const pathOf = (key: string, attempt: number, offset: number) => `logs/${key}/${attempt}/${offset}`

export interface Chunk {
  token: string
  offset: number
  text: string
}

/** Appends a chunk and returns the new length. A chunk that was stored before is accepted again as long as it is the same. */
export async function appendLog(db: Database, store: R2Bucket, key: string, chunk: Chunk): Promise<number> {
  const { token, offset } = chunk
  const bytes = new TextEncoder().encode(chunk.text)
  const { attempt } = await requireLease(db, key, token)
  const length = await lengthOf(db, key)
  if (offset !== length) {
    const known = offset < length ? await store.get(pathOf(key, attempt, offset)) : null
    if (known && (await known.text()) === chunk.text) return length
    throw gap(offset, length)
  }
  await store.put(pathOf(key, attempt, offset), bytes)
  const held = and(heldBy(key, token), eq(jobs.logLength, offset))
  const place = { jobKey: jobs.key, attempt: jobs.deliveries, offset: jobs.logLength }
  const [, written] = await db.batch([
    db.insert(logChunks).select(
      db
        .select({ ...place, bytes: sql<number>`${bytes.byteLength}`.as('bytes') })
        .from(jobs)
        .where(held),
    ),
    db
      .update(jobs)
      .set({ logLength: offset + bytes.byteLength })
      .where(held)
      .returning({ logLength: jobs.logLength }),
  ])
  if (written[0]) return written[0].logLength
  // Another write came between: either the lease or the offset moved on.
  await requireLease(db, key, token)
  throw gap(offset, await lengthOf(db, key))
}

const gap = (offset: number, length: number) =>
  new ApiError('log_gap', `expected offset ${length}, got ${offset}; send what is missing from there`)

async function lengthOf(db: Database, key: string): Promise<number> {
  const row = await db.select({ length: jobs.logLength }).from(jobs).where(eq(jobs.key, key)).get()
  if (!row) throw stale(key)
  return row.length
}

/** Text of a job's log from the byte `from` on, of its latest delivery that wrote any. With `lastBytes`, only as many whole
 *  chunks from the end as reach that size. */
export async function readLog(
  db: Database,
  store: R2Bucket,
  key: string,
  { from = 0, lastBytes = Number.POSITIVE_INFINITY }: { from?: number; lastBytes?: number } = {},
): Promise<{ text: string; from: number }> {
  const latest = sql`(SELECT MAX(attempt) FROM log_chunks WHERE job_key = ${key})`
  const chunks = await db
    .select()
    .from(logChunks)
    .where(and(eq(logChunks.jobKey, key), eq(logChunks.attempt, latest)))
    .orderBy(asc(logChunks.offset))
  const last = chunks.at(-1)
  if (!last) return { text: '', from }
  const begin = Math.max(from, last.offset + last.bytes - lastBytes)
  const wanted = chunks.filter(({ offset, bytes }) => offset + bytes > begin)
  const parts = await Promise.all(
    wanted.map(async ({ attempt, offset }) => {
      const object = await store.get(pathOf(key, attempt, offset))
      const part = new Uint8Array((await object?.arrayBuffer()) ?? [])
      return offset < from ? part.subarray(from - offset) : part
    }),
  )
  const decoder = new TextDecoder()
  const text = parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode()
  return { text, from: wanted[0] ? Math.max(from, wanted[0].offset) : begin }
}
