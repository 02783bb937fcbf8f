/** The log of a job: lines are gathered and sent in numbered chunks, and progress with them. When the server holds less than
 *  was sent, as after a lost chunk or a reclaimed lease, it is sent again from there. */
import { createHash } from 'node:crypto'
import { gap, MAX_LOG_BYTES, type WholeLog } from '../../schema/protocol/log.ts'
import type { Progress } from '../../schema/result.ts'
import { sha256Of } from '../store/digest.ts'
import { type Client, RemoteError } from './client.ts'
import type { HeldLease } from './heartbeat.ts'

/** A new line or progress is on its way after this long. */
const FLUSH_AFTER_MS = 800
const CHUNK_BYTES = 48 * 1024
const RETRY_FOR_MS = 10_000
/** Gaps in a row without a byte gained, before sending is given up until the next line. */
const MAX_GAPS = 50

export interface JobLog {
  add(line: string): void
  progress(newest: Progress): void
  /** Sends all that was said and tells its sum. Throws when it cannot. */
  settle(): Promise<WholeLog>
  /** Of all that was said, sent or not. */
  sum(): WholeLog
  /** The server named another place for the next chunk, in an error `log_gap`. */
  resume(error: unknown): boolean
  /** Sends nothing more. */
  close(): void
}

export interface LogOptions {
  client: Client
  key: string
  lease: HeldLease
  onTrouble(message: string): void
}

export function openLog({ client, key, lease, onTrouble }: LogOptions): JobLog {
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  const whole = createHash('sha256')
  /** Everything said so far, each piece whole lines: a reclaimed job's log begins anew. */
  const pieces: { offset: number; bytes: Uint8Array<ArrayBuffer> }[] = []
  let length = 0
  let sequence = 0
  let sent = 0
  let newest: Progress | null = null
  let flushing: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const append = (line: string) => {
    const bytes = encoder.encode(line)
    pieces.push({ offset: length, bytes })
    whole.update(bytes)
    length += bytes.length
  }
  const add = (line: string) => {
    if (length >= MAX_LOG_BYTES) return
    const time = new Date().toISOString().slice(11, 19)
    for (const part of line.split('\n')) append(`${time} ${part}\n`)
    if (length >= MAX_LOG_BYTES) append(`${time} [the log is full at 16 MiB: later lines are left out]\n`)
    flushSoon()
  }

  /** The next bytes from `sent` on; a character is never cut, since lines are sent whole or by code point. */
  const nextChunk = (): string => {
    const parts: Uint8Array[] = []
    let size = 0
    for (let at = pieceAt(sent); at < pieces.length; at++) {
      const { offset, bytes } = pieces[at]!
      const rest = bytes.subarray(Math.max(0, sent - offset))
      if (size + rest.length > CHUNK_BYTES) {
        if (size === 0) parts.push(wholeCharacters(rest.subarray(0, CHUNK_BYTES)))
        break
      }
      parts.push(rest)
      size += rest.length
    }
    return decoder.decode(Buffer.concat(parts))
  }
  /** Index of the first piece that ends after this offset. */
  const pieceAt = (offset: number): number => {
    let [low, high] = [0, pieces.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const { offset: start, bytes } = pieces[middle]!
      if (start + bytes.length > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  const resume = (error: unknown): boolean => {
    const found =
      error instanceof RemoteError && error.code === 'log_gap' ? gap.safeParse(error.details).data : undefined
    if (!found || found.expectedOffset > length) return false
    sequence = found.expectedSequence
    sent = found.expectedOffset
    return true
  }

  async function sendAll(): Promise<void> {
    let farthest = -1
    for (let gaps = 0; gaps < MAX_GAPS; ) {
      const [text, progress] = [nextChunk(), newest]
      if (text === '' && !progress) return
      const chunk = { text, sha256: sha256Of(encoder.encode(text)), ...(progress && { progress }) }
      try {
        const place = await lease.write((token) =>
          client.log(key, token, { sequence, offset: sent, ...chunk }, { retryForMs: RETRY_FOR_MS }),
        )
        ;({ sequence, offset: sent } = place)
        if (newest === progress) newest = null
      } catch (error) {
        if (!resume(error)) throw error
        gaps = sent > farthest ? 0 : gaps + 1
        farthest = Math.max(farthest, sent)
      }
    }
    throw new Error(`the server still expects byte ${sent} of the log after ${MAX_GAPS} tries`)
  }

  const sum = (): WholeLog => ({ bytes: length, sha256: whole.copy().digest('hex') })

  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    flushing ??= sendAll().finally(() => {
      flushing = null
    })
    return flushing
  }
  const flushSoon = () => {
    if (closed) return
    timer ??= setTimeout(() => {
      flush().catch((error: Error) => onTrouble(`log not sent: ${error.message}`))
    }, FLUSH_AFTER_MS)
  }

  return {
    add,
    progress(progress) {
      newest = progress
      flushSoon()
    },
    resume,
    sum,
    async settle() {
      await flushing?.catch(() => {})
      await flush()
      return sum()
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

/** Without the bytes of a character that was cut at the end. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1]! & 0xc0) === 0x80) end--
  const lead = bytes[end - 1] ?? 0
  const need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return bytes.length - end + 1 === need ? bytes : bytes.subarray(0, end - 1)
}
