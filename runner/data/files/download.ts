/** Downloads into memory, with retries. Nothing touches the disk before the content was checked, so an interrupted
 *  download leaves nothing behind. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatasetError, type LoadOptions } from '../../science/dataset.ts'
import { jittered } from '../../words/backoff.ts'

export interface DownloadOptions<T> {
  /** Addresses of the same file, tried in order. */
  urls: string[]
  /** Refuses a body larger than this many bytes. */
  maxBytes: number
  /** What progress calls the file. */
  name: string
  /** Turns the body into what the caller wants; throws when it's not the right file. */
  accept(body: Uint8Array): T | Promise<T>
  signal?: AbortSignal | undefined
  onProgress?: LoadOptions['onProgress']
  /** Tries per address. */
  attempts?: number
  /** Pause before the second try, at most; it doubles with each further one. */
  pauseMs?: number
  /** Gives up on an attempt when no byte came for this long. */
  stallMs?: number
}

/** Body and accepted content of the first address that works. Throws DatasetError with every address's failure. */
export async function download<T>(options: DownloadOptions<T>): Promise<{ body: Uint8Array; content: T }> {
  const { urls, accept, name, signal, attempts = 3, pauseMs = 1000 } = options
  const failures: string[] = []
  for (const url of urls) {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      signal?.throwIfAborted()
      try {
        const body = await fetchBody(url, options)
        return { body, content: await accept(body) }
      } catch (error) {
        signal?.throwIfAborted()
        const permanent = error instanceof PermanentFailure
        if (permanent || attempt === attempts) {
          failures.push(`${url}: ${messageOf(error)}`)
          break
        }
        await sleep(jittered(pauseMs, attempt - 1, 60_000), undefined, { signal })
      }
    }
  }
  throw new DatasetError(
    `${name} could not be downloaded:\n  ${failures.join('\n  ')}\nCheck the connection, or get the file yourself and pass its folder with --data DIR`,
  )
}

/** A failure that a further try cannot mend. */
class PermanentFailure extends Error {}

async function fetchBody(url: string, options: DownloadOptions<unknown>): Promise<Uint8Array> {
  const { maxBytes, name, signal, onProgress, stallMs = 60_000 } = options
  const stalled = new AbortController()
  const stall = () => stalled.abort(new Error(`no data for ${stallMs / 1000} s`))
  let timer = setTimeout(stall, stallMs)
  try {
    const either = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal
    const response = await fetch(url, { signal: either })
    if (!response.ok) {
      const message = `HTTP status ${response.status} ${response.statusText}`.trim()
      await response.body?.cancel()
      throw response.status < 500 && response.status !== 429 ? new PermanentFailure(message) : new Error(message)
    }
    const total = Number(response.headers.get('content-length') ?? 0)
    const chunks: Uint8Array[] = []
    let done = 0
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer)
      timer = setTimeout(stall, stallMs)
      done += chunk.length
      if (done > maxBytes) throw new PermanentFailure(`expected at most ${maxBytes} bytes, got more`)
      chunks.push(chunk)
      onProgress?.({ phase: `downloading ${name}`, done, total, unit: 'bytes' })
    }
    return Buffer.concat(chunks, done)
  } finally {
    clearTimeout(timer)
  }
}

/** The innermost cause says more than fetch's own "fetch failed". */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
