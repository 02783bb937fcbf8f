/** Downloads of files whose content is known, with retries. One that broke goes on where it broke; nothing counts before the whole
 *  was checked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatasetError, type LoadOptions } from '../../science/dataset.ts'
import { takeLock } from '../../store/lock.ts'
import { codeOf, reasonOf } from '../../store/write.ts'
import { jittered } from '../../words/backoff.ts'
import { type Partial, partialAt } from './partial.ts'

export interface DownloadOptions<T> {
  /** Addresses of the same file, tried in order. */
  urls: string[]
  /** Refuses a body larger than this many bytes. */
  maxBytes: number
  /** What progress calls the file. */
  name: string
  /** The user's own folders that do not have it, by the names that it goes by. */
  sought?: string
  /** Where it will be kept; what came of it lies beside that meanwhile. */
  target: string
  /** Asked once no other process downloads it: that one may have brought it. */
  look(): Promise<T | null>
  /** Turns the body into what the caller wants; throws when it's not the right file. */
  accept(body: Uint8Array): T | Promise<T>
  /** Puts an accepted body into its place. */
  keep(body: Uint8Array): Promise<void>
  signal?: AbortSignal | undefined
  onProgress?: LoadOptions['onProgress']
  /** Tries per address, without those that brought something. */
  attempts?: number
  /** Pause before the second try, at most; it doubles with each further one. */
  pauseMs?: number
  /** Gives up on an attempt when no byte came for this long. */
  stallMs?: number
}

/** Accepted content of the first address that works. Throws DatasetError with every address's failure. */
export async function download<T>(options: DownloadOptions<T>): Promise<T> {
  const { target, look, signal } = options
  const release = await written(target, () => takeLock(`${target}.lock`, { signal }))
  try {
    return (await look()) ?? (await fetchFirst(options, partialAt(`${target}.part`)))
  } finally {
    await release()
  }
}

async function fetchFirst<T>(options: DownloadOptions<T>, partial: Partial): Promise<T> {
  const { urls, accept, keep, name, sought, signal, attempts = 3, pauseMs = 1000 } = options
  const failures: string[] = []
  for (const url of urls) {
    let most = (await partial.of(url)).bytes
    for (let attempt = 1; attempt <= attempts; attempt++) {
      signal?.throwIfAborted()
      try {
        const body = await fetchBody(url, partial, options)
        try {
          const content = await accept(body)
          await keep(body)
          return content
        } finally {
          await partial.drop()
        }
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof LocalFailure) throw error
        const { bytes } = await partial.of(url)
        // Whoever gets on has not failed yet.
        if (bytes > most) attempt = 1
        most = Math.max(most, bytes)
        if (error instanceof PermanentFailure || attempt === attempts) {
          failures.push(`${url}: ${messageOf(error)}`)
          break
        }
        await sleep(jittered(pauseMs, attempt - 1, 60_000), undefined, { signal })
      }
    }
  }
  throw new DatasetError(
    `${name} ${sought === undefined ? '' : `is not in ${sought}, and `}could not be downloaded:\n  ${failures.join('\n  ')}\nCheck the connection and, where there is one, the proxy (HTTPS_PROXY), or get the file yourself and pass its folder with --data DIR`,
  )
}

/** A failure that a further try cannot mend. */
class PermanentFailure extends Error {}
/** One that no other address can mend either. */
class LocalFailure extends DatasetError {}

async function written<Result>(path: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    if (codeOf(error) === 'unknown' || error instanceof DatasetError) throw error
    throw new LocalFailure(
      `${path}: cannot be written: ${reasonOf(error)}; make room there, or choose another home folder`,
    )
  }
}

/** The whole body, of which earlier tries may have brought the begin. */
async function fetchBody(url: string, partial: Partial, options: DownloadOptions<unknown>): Promise<Uint8Array> {
  const { maxBytes, name, target, signal, onProgress, stallMs = 60_000 } = options
  const stalled = new AbortController()
  const stall = () => stalled.abort(new Error(`no data for ${stallMs / 1000} s`))
  let timer = setTimeout(stall, stallMs)
  try {
    const either = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal
    const { bytes: had, validator } = await partial.of(url)
    const range = { range: `bytes=${had}-`, ...(validator !== null && { 'if-range': validator }) }
    // Compressed on the way, a part would be of something else.
    const headers = { 'accept-encoding': 'identity', ...(had > 0 && range) }
    const response = await fetch(url, { headers, signal: either })
    if (!response.ok) {
      await response.body?.cancel()
      // What is there is more than there is to have.
      if (response.status === 416) await partial.drop()
      const message = `HTTP status ${response.status} ${response.statusText}`.trim()
      const passing = response.status >= 500 || response.status === 429 || response.status === 416
      throw passing ? new Error(message) : new PermanentFailure(message)
    }
    const goesOn = response.status === 206
    if (goesOn && !response.headers.get('content-range')?.startsWith(`bytes ${had}-`)) {
      await response.body?.cancel()
      await partial.drop()
      throw new Error(`expected the bytes from ${had} on, got ${response.headers.get('content-range')}`)
    }
    let done = goesOn ? had : 0
    const total = done + Number(response.headers.get('content-length') ?? 0)
    await written(target, () => partial.begin({ url, validator: validatorOf(response) }, goesOn))
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer)
      timer = setTimeout(stall, stallMs)
      done += chunk.length
      if (done > maxBytes) {
        await partial.drop()
        throw new PermanentFailure(`expected at most ${maxBytes} bytes, got more`)
      }
      await written(target, () => partial.append(chunk))
      onProgress?.({ phase: `downloading ${name}`, done, total, unit: 'bytes' })
    }
    return await partial.content()
  } finally {
    clearTimeout(timer)
  }
}

/** By what a server says whether the rest is of the same file. A weak tag says less than that. */
function validatorOf({ headers }: Response): string | null {
  const tag = headers.get('etag')
  return tag !== null && !tag.startsWith('W/') ? tag : headers.get('last-modified')
}

/** The innermost cause says more than fetch's own "fetch failed". */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
