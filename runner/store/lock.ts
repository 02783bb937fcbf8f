/** A lock file between processes: it names its holder, who renews it, and is taken over when the holder is gone. A takeover
 *  in error costs a second computation of the same bytes, nothing more. */
import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { jsonOrNull } from '../words/json.ts'
import { readIfPresent } from './read.ts'
import { codeOf } from './write.ts'

export interface LockOptions {
  signal?: AbortSignal | undefined
  /** Called once when another process holds the lock. */
  onWait?: ((holder: string) => void) | undefined
  /** Pause between looks at a lock that is held. */
  pollMs?: number
  /** A lock that was not renewed for this long is taken over, even if a process has its holder's id. */
  staleMs?: number
}

const holder = z.object({ pid: z.int(), host: z.string(), token: z.string() })

/** Waits for the lock; returns its release. */
export async function takeLock(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const { signal, onWait, pollMs = 500, staleMs = 60_000 } = options
  const token = randomUUID()
  let told = false
  await mkdir(dirname(path), { recursive: true })
  while (!(await create(path, JSON.stringify({ pid: process.pid, host: hostname(), token })))) {
    signal?.throwIfAborted()
    const seen = await look(path, staleMs)
    if (!seen) continue
    if (seen.gone) {
      await remove(path, seen.content)
      continue
    }
    if (!told) onWait?.(seen.name)
    told = true
    await sleep(pollMs, undefined, { signal })
  }
  const renewal = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), staleMs / 4)
  renewal.unref()
  return async () => {
    clearInterval(renewal)
    const content = await textIfPresent(path)
    if (content?.includes(token)) await rm(path, { force: true })
  }
}

/** False when the file exists. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(content).finally(() => file.close())
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Who holds the lock and whether that process is gone; null when the lock was released meanwhile. */
async function look(path: string, staleMs: number): Promise<{ content: string; name: string; gone: boolean } | null> {
  const content = await textIfPresent(path)
  const renewed = (await stat(path).catch(() => null))?.mtimeMs
  if (content === null || renewed === undefined) return null
  const expired = Date.now() - renewed > staleMs
  // A holder that has created the file but not yet written its name counts as alive until it expires.
  const parsed = holder.safeParse(jsonOrNull(content)).data
  if (!parsed) return { content, name: 'another process', gone: expired }
  const { pid, host } = parsed
  return { content, name: `process ${pid} on ${host}`, gone: expired || (host === hostname() && !isAlive(pid)) }
}

/** Removes the lock of a holder that is gone. Moving it first makes sure that of two processes only one removes it. */
async function remove(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  // Someone else may have taken over in between: then what was moved is a live lock, and goes back.
  if ((await textIfPresent(aside)) === content) await rm(aside, { force: true })
  else await rename(aside, path)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

async function textIfPresent(path: string): Promise<string | null> {
  const bytes = await readIfPresent(path)
  return bytes && new TextDecoder().decode(bytes)
}
