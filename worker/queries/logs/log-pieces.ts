/** Pieces of a log: rows of D1 while they are new and small, objects in R2 once joined. Joining changes where bytes lie, never
 *  what they are, so it may happen at any time and twice. */
import { and, asc, eq, gt, lt, type SQL, sql } from 'drizzle-orm'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import { logChunks } from '../../../schema/tables/log-chunks.ts'
import type { Database } from '../../bindings/database.ts'

export interface LogOf {
  key: string
  attempt: number
}

type Piece = typeof logChunks.$inferSelect

/** A joined piece below this is joined again with what follows: a full log has at most 64 pieces or so. */
const SMALL_BYTES = 256 * 1024

const ofLog = ({ key, attempt }: LogOf) => and(eq(logChunks.jobKey, key), eq(logChunks.attempt, attempt))

const pathOf = ({ jobKey, attempt, offset, sha256 }: Piece) => `logs/${jobKey}/${attempt}/${offset}-${sha256}`

const piecesOf = (db: Database, where: SQL | undefined): Promise<Piece[]> =>
  db.select().from(logChunks).where(where).orderBy(asc(logChunks.offset))

/** Null when the piece was joined with others since its row was read. */
async function bytesOf(store: R2Bucket, piece: Piece): Promise<Uint8Array | null> {
  if (piece.text !== null) return new TextEncoder().encode(piece.text)
  const object = await store.get(pathOf(piece))
  return object && new Uint8Array(await object.arrayBuffer())
}

/** The pieces that match, in order, with their bytes. */
export async function readPieces(
  db: Database,
  store: R2Bucket,
  where: SQL | undefined,
): Promise<{ pieces: Piece[]; bytes: Uint8Array[] }> {
  for (let tries = 0; tries < 10; tries++) {
    const pieces = await piecesOf(db, where)
    const bytes = await Promise.all(pieces.map((piece) => bytesOf(store, piece)))
    if (!bytes.includes(null)) return { pieces, bytes: bytes as Uint8Array[] }
  }
  throw new Error('a piece of a log is missing from the store')
}

/** The bytes of a log from one offset up to another, taken piece by piece as they are read: a reader, however slow, holds no more
 *  than a piece. */
export function streamLog(
  db: Database,
  store: R2Bucket,
  log: LogOf,
  { from, to }: { from: number; to: number },
): ReadableStream<Uint8Array> {
  let at = from
  let piece: ReadableStreamDefaultReader<Uint8Array> | null = null
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (at < to) {
          piece ??= await readerAt(db, store, log, { at, to })
          const { value } = await piece.read()
          if (value) {
            at += value.byteLength
            controller.enqueue(value)
            if (at >= to) controller.close()
            return
          }
          piece = null
        }
        controller.close()
      },
      cancel: (reason) => piece?.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** Reads the piece with the byte `at` of a log, from there on. */
async function readerAt(db: Database, store: R2Bucket, log: LogOf, { at, to }: { at: number; to: number }) {
  const { offset, bytes } = logChunks
  for (let tries = 0; tries < 10; tries++) {
    const [piece] = await piecesOf(db, and(ofLog(log), sql`${offset} <= ${at} AND ${offset} + ${bytes} > ${at}`))
    if (!piece) break
    const range = { offset: at - piece.offset, length: Math.min(to, piece.offset + piece.bytes) - at }
    const body = piece.text === null ? (await store.get(pathOf(piece), { range }))?.body : textBody(piece.text, range)
    // Else the piece was joined with others since its row was read.
    if (body) return (body as ReadableStream<Uint8Array>).getReader()
  }
  throw new Error(`byte ${at} of the log of ${log.key}, delivery ${log.attempt}, is missing`)
}

function textBody(text: string, { offset, length }: { offset: number; length: number }): ReadableStream<Uint8Array> {
  const content = new TextEncoder().encode(text).subarray(offset, offset + length)
  return new ReadableStream({
    start(controller) {
      controller.enqueue(content)
      controller.close()
    },
  })
}

/** Bytes and SHA-256 of all that there is of a log. */
export async function sumOf(db: Database, store: R2Bucket, log: LogOf): Promise<{ bytes: number; sha256: string }> {
  const content = await concatenated((await readPieces(db, store, ofLog(log))).bytes)
  return { bytes: content.byteLength, sha256: await sha256Hex(content) }
}

/** Joins what is new in a log into one object. */
export async function joinLog(db: Database, store: R2Bucket, log: LogOf): Promise<void> {
  const rows = await db
    .select({ offset: logChunks.offset, bytes: logChunks.bytes, inStore: sql<number>`${logChunks.text} IS NULL` })
    .from(logChunks)
    .where(ofLog(log))
    .orderBy(asc(logChunks.offset))
  const settled = rows.findLast(({ bytes, inStore }) => inStore && bytes >= SMALL_BYTES)
  const from = settled ? settled.offset + settled.bytes : 0
  const { pieces, bytes } = await readPieces(db, store, and(ofLog(log), sql`${logChunks.offset} >= ${from}`))
  const [first] = pieces
  if (!first || (pieces.length === 1 && first.text === null)) return
  const content = await concatenated(bytes)
  const lines = pieces.reduce((sum, piece) => sum + piece.lines, 0)
  const joined = { ...first, bytes: content.byteLength, lines, sha256: await sha256Hex(content), text: null }
  await store.put(pathOf(joined), content)
  // Another request that joined meanwhile has done this one's work.
  if (!(await replace(db, log, pieces, joined))) return
  const gone = pieces.filter(({ text }) => text === null).map(pathOf)
  if (gone.length > 0) await store.delete(gone)
}

const concatenated = async (parts: Uint8Array[]) =>
  new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer())

/** Replaces the rows that were joined by one, unless another request did so before. */
async function replace(db: Database, log: LogOf, old: Piece[], joined: Piece): Promise<boolean> {
  const { offset, bytes, lines, sha256 } = joined
  const end = offset + bytes
  const unchanged = sql`(SELECT COUNT(*) FROM log_chunks same WHERE same.job_key = ${log.key} AND same.attempt = ${log.attempt}
    AND same."offset" >= ${offset} AND same."offset" < ${end}) = ${old.length}`
  const isFirst = and(ofLog(log), eq(logChunks.offset, offset))
  const [written] = await db.batch([
    db
      .update(logChunks)
      .set({ bytes, lines, sha256, text: null })
      .where(and(isFirst, eq(logChunks.sha256, old[0]!.sha256), unchanged))
      .returning({ offset: logChunks.offset }),
    db.delete(logChunks).where(
      and(
        ofLog(log),
        gt(logChunks.offset, offset),
        lt(logChunks.offset, end),
        sql`EXISTS (SELECT 1 FROM log_chunks whole WHERE whole.job_key = ${log.key} AND whole.attempt = ${log.attempt}
          AND whole."offset" = ${offset} AND whole.sha256 = ${sha256})`,
      ),
    ),
  ])
  return written.length > 0
}
