/** Writes logs of deliveries: chunk by chunk without gaps, checked as a whole at the end. */
import { and, eq, sql } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import { MAX_LOG_BYTES, type WholeLog } from '../../../schema/protocol/log.ts'
import type { Progress } from '../../../schema/result.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { logChunks } from '../../../schema/tables/log-chunks.ts'
import type { Database } from '../../bindings/database.ts'
import { type Claim, heldBy, requireLease } from '../parts/held.ts'
import { insertSelect } from '../parts/insert-select.ts'
import { joinLog, type LogOf, sumOf } from './log-pieces.ts'

export interface Chunk {
  sequence: number
  offset: number
  sha256: string
  text: string
  progress?: Progress | undefined
}

/** How far a log has come: what the next chunk must carry. */
interface LogEnd {
  sequence: number
  offset: number
}

/** Where a chunk begins: the delivery that wrote it, and the bytes and line breaks before it. */
export interface ChunkStart {
  attempt: number
  offset: number
  line: number
}

/** New chunks are joined in R2 this many at a time. */
const JOIN_EVERY = 64
/** Room for the line that says that the rest was left out. */
const SLACK_BYTES = 64 * 1024

/** Appends a chunk and tells what the next one must carry, and where this one begins. One that is there already is accepted again
 *  as long as it is the same; it begins nowhere anew. */
export async function appendLog(
  db: Database,
  store: R2Bucket,
  claim: Claim,
  chunk: Chunk,
): Promise<{ next: LogEnd; start: ChunkStart | null }> {
  const { sequence, offset, sha256, text, progress } = chunk
  const bytes = new Uint8Array(new TextEncoder().encode(text))
  if ((await sha256Hex(bytes)) !== sha256) {
    throw new ApiError('hash_mismatch', `the text of chunk ${sequence} does not hash to ${sha256}; send it again`)
  }
  if (offset + bytes.byteLength > MAX_LOG_BYTES + SLACK_BYTES) {
    throw new ApiError('body_too_large', `a log has at most ${MAX_LOG_BYTES} bytes; leave out the rest and say so`)
  }
  const stored = bytes.byteLength > 0 ? 1 : 0
  const next = { sequence: sequence + stored, offset: offset + bytes.byteLength }
  const held = and(heldBy(claim), eq(jobs.logLength, offset), eq(jobs.logSequence, sequence))
  const [[start], written] = await db.batch([
    insertSelect(
      db,
      logChunks,
      {
        jobKey: jobs.key,
        attempt: jobs.deliveries,
        offset,
        bytes: bytes.byteLength,
        line: linesBefore,
        lines: text.split('\n').length - 1,
        sha256,
        text,
      },
      sql`FROM ${jobs} WHERE ${held} AND ${stored}`,
    ).returning({ attempt: logChunks.attempt, offset: logChunks.offset, line: logChunks.line }),
    db
      .update(jobs)
      .set({ logLength: next.offset, logSequence: next.sequence, ...(progress && { progress }) })
      .where(held)
      .returning({ attempt: jobs.deliveries }),
  ])
  if (!written[0]) return { next: await endOf(db, claim, chunk), start: null }
  if (stored && next.sequence % JOIN_EVERY === 0) {
    await joinLog(db, store, { key: claim.key, attempt: written[0].attempt })
  }
  return { next, start: start ?? null }
}

/** Of the delivery that holds the job in the outer statement. */
const linesBefore = sql`COALESCE((SELECT before.line + before.lines FROM log_chunks before
  WHERE before.job_key = ${jobs.key} AND before.attempt = ${jobs.deliveries} ORDER BY before."offset" DESC LIMIT 1), 0)`

/** How far the log has come, if this chunk is part of it; else the refusal. */
async function endOf(db: Database, claim: Claim, { sequence, offset, sha256 }: Chunk): Promise<LogEnd> {
  const { attempt, logLength, logSequence } = await requireLease(db, claim)
  const end = { sequence: logSequence, offset: logLength }
  const known = and(
    eq(logChunks.jobKey, claim.key),
    eq(logChunks.attempt, attempt),
    eq(logChunks.offset, offset),
    eq(logChunks.sha256, sha256),
  )
  if (await db.select({ offset: logChunks.offset }).from(logChunks).where(known).get()) return end
  throw new ApiError(
    'log_gap',
    `expected chunk ${end.sequence} at offset ${end.offset}, got chunk ${sequence} at ${offset}; send what is missing from there`,
    { expectedSequence: end.sequence, expectedOffset: end.offset },
  )
}

/** Holds a log against what the runner says that it wrote. */
export async function checkLog(db: Database, store: R2Bucket, log: LogOf, expected: WholeLog): Promise<void> {
  await joinLog(db, store, log)
  const { bytes, sha256 } = await sumOf(db, store, log)
  if (bytes !== expected.bytes) {
    const row = await db.select({ sequence: jobs.logSequence }).from(jobs).where(eq(jobs.key, log.key)).get()
    throw new ApiError(
      'log_gap',
      `expected a log of ${expected.bytes} bytes, but ${bytes} came; send what is missing`,
      {
        expectedSequence: row?.sequence ?? 0,
        expectedOffset: bytes,
      },
    )
  }
  if (sha256 !== expected.sha256) {
    throw new ApiError('hash_mismatch', `expected the log to hash to ${expected.sha256}, but it hashes to ${sha256}`)
  }
}
