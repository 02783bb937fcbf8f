/** The log of a job: lines are gathered and appended by offset. When the server holds less than was sent, it is sent again
 *  from there. */
import { MAX_LOG_BYTES } from '../../schema/protocol/log.ts'
import { type Client, RemoteError } from './client.ts'
import type { HeldLease } from './heartbeat.ts'

const FLUSH_EVERY_MS = 2_000
const CHUNK_BYTES = 48 * 1024

export interface JobLog {
  add(line: string): void
  /** Sends what is left. Never throws: a log is not worth a result. */
  close(): Promise<void>
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
  /** Everything said so far, each piece whole lines. */
  const pieces: { offset: number; bytes: Uint8Array<ArrayBuffer> }[] = []
  let length = 0
  let sent = 0
  let flushing: Promise<void> | null = null

  const add = (line: string) => {
    if (length >= MAX_LOG_BYTES) return
    const time = new Date().toISOString().slice(11, 19)
    for (const part of line.split('\n')) append(`${time} ${part}\n`)
    if (length >= MAX_LOG_BYTES) append(`${time} the log is full; later lines are left out\n`)
  }
  const append = (line: string) => {
    const bytes = encoder.encode(line)
    pieces.push({ offset: length, bytes })
    length += bytes.length
  }

  /** The next bytes from `sent` on; a character is never cut, since lines are sent whole or by code point. */
  const nextChunk = (): string => {
    const parts: Uint8Array[] = []
    let size = 0
    for (const { offset, bytes } of pieces) {
      if (offset + bytes.length <= sent) continue
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

  async function sendAll(): Promise<void> {
    for (let gaps = 0; gaps < 3; ) {
      const text = nextChunk()
      if (text === '') return
      try {
        const body = { offset: sent, text }
        const { offset } = await lease.write((token) => client.log(key, { token, ...body }, { retryForMs: 10_000 }))
        sent = offset
      } catch (error) {
        const expected = error instanceof RemoteError && error.code === 'log_gap' ? expectedOffset(error.message) : null
        if (expected === null || expected > length) throw error
        sent = expected
        gaps += 1
      }
    }
  }

  const flush = () => {
    flushing ??= sendAll()
      .catch((error: Error) => onTrouble(`log not sent: ${error.message}`))
      .finally(() => {
        flushing = null
      })
    return flushing
  }
  const timer = setInterval(flush, FLUSH_EVERY_MS)

  return {
    add,
    async close() {
      clearInterval(timer)
      await flushing
      await flush()
    },
  }
}

/** A log_gap names the offset that was expected. */
const expectedOffset = (message: string): number | null => {
  const digits = /expected offset (\d+)/.exec(message)?.[1]
  return digits === undefined ? null : Number(digits)
}

/** Without the bytes of a character that was cut at the end. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1]! & 0xc0) === 0x80) end--
  const lead = bytes[end - 1] ?? 0
  const need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return bytes.length - end + 1 === need ? bytes : bytes.subarray(0, end - 1)
}
