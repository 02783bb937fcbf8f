/** What stages leave behind, under one home folder: `objects/<2 hex>/<sha256>` by content, `stages/<key>.json` by computation
 *  (a stage and what it was computed by), `once/<key>.json` for objects that stages share, `locks/<key>.lock` while one of these is
 *  computed, `incoming/` for objects that are being fetched, `corrupt/` for objects that no longer match their name, and stages that
 *  a server refused. */
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ArtifactRef, StageResult } from '../../schema/result.ts'
import type { StageSpec } from '../../schema/stage.ts'
import { sha256Of, sha256OfFile } from './digest.ts'
import { type Incoming, receiveFile } from './incoming.ts'
import { localFaultOf } from './local-fault.ts'
import { type LockOptions, takeLock } from './lock.ts'
import { isAbsent, readIfPresent } from './read.ts'
import { recordAfter, recordIn, recordText, type StageRecord } from './stage-record.ts'
import { codeOf, reasonOf, writeWhole } from './write.ts'

/** An object or a stage that cannot be read or written: says which, why and what to do. */
export class StoreError extends Error {
  override name = 'StoreError'
}

export interface Store {
  home: string
  put(bytes: Uint8Array): Promise<ArtifactRef>
  /** Throws StoreError when the object is missing or no longer matches its hash; a corrupt one is moved aside first, so that
   *  the stage that made it counts as not done. */
  get(sha256: string): Promise<Uint8Array>
  has(sha256: string): Promise<boolean>
  /** Bytes [from, from + length) of an object, or as many as there are; not compared with its hash. */
  slice(sha256: string, from: number, length: number): Promise<Uint8Array>
  /** As `get`, for objects too large for memory: throws when the object is missing or damaged. */
  verify(sha256: string): Promise<void>
  /** Takes an object in from elsewhere. `fill` appends what is missing to what an earlier call left; the whole is compared with
   *  its hash before it counts. Throws what `fill` throws, and StoreError when the bytes are others. */
  receive(ref: ArtifactRef, fill: (incoming: Incoming) => Promise<void>, signal?: AbortSignal): Promise<void>
  /** Makes an object of a file as it is now; the file stays. */
  adopt(path: string): Promise<ArtifactRef>
  /** Moves an object that no stage names to where it is needed. */
  place(sha256: string, path: string): Promise<void>
  /** Forgets an object that no stage names. */
  remove(sha256: string): Promise<void>
  /** Null when the stage is not done, when its file is not valid or when one of its artifacts is missing. */
  readStage(key: string): Promise<StageResult | null>
  /** Values of metrics that the result no longer holds are kept beside it. */
  writeStage(key: string, result: StageResult, spec?: StageSpec, sources?: StageRecord['sources']): Promise<void>
  /** Moves the file of a stage aside, so that it counts as not done. */
  rejectStage(key: string): Promise<void>
  /** Of all that have a file; a stage has one for each way in which it was computed. */
  stageKeys(): Promise<string[]>
  /** What the file of a stage says, whether or not its artifacts are there; null where it says nothing. */
  readRecord(key: string): Promise<StageRecord | null>
  /** Waits until no other process computes the stage; returns the release. Read the stage again after waiting. */
  lockStage(key: string, options?: LockOptions): Promise<() => Promise<void>>
}

export function openStore(home: string): Store {
  const objectPath = (sha256: string) => join(home, 'objects', sha256.slice(0, 2), sha256)
  const stagePath = (key: string) => join(home, 'stages', `${key}.json`)

  /** Bytes of an object as they lie on the disk; null when there is none. */
  async function sizeOf(sha256: string): Promise<number | null> {
    try {
      return (await stat(objectPath(sha256))).size
    } catch (error) {
      if (isAbsent(error)) return null
      throw unreadable(objectPath(sha256), error)
    }
  }

  async function put(bytes: Uint8Array): Promise<ArtifactRef> {
    const sha256 = sha256Of(bytes)
    if ((await sizeOf(sha256)) !== bytes.length) await write(objectPath(sha256), bytes)
    return { sha256, bytes: bytes.length }
  }

  const missing = (sha256: string) =>
    new StoreError(`${objectPath(sha256)}: not found; run again, and the stage that makes it will be computed`)

  /** Moves a damaged object aside. */
  async function reject(sha256: string, actual: string): Promise<never> {
    const path = objectPath(sha256)
    const aside = join(home, 'corrupt', sha256)
    await mkdir(join(home, 'corrupt'), { recursive: true })
    await rename(path, aside)
    throw new StoreError(
      `${path}: its content has the SHA-256 ${actual}, so the file is damaged; it was moved to ${aside}; run again, and the stage that makes it will be computed anew`,
    )
  }

  async function get(sha256: string): Promise<Uint8Array> {
    const bytes = await read(objectPath(sha256))
    if (!bytes) throw missing(sha256)
    const actual = sha256Of(bytes)
    return actual === sha256 ? bytes : reject(sha256, actual)
  }

  async function verify(sha256: string): Promise<void> {
    if ((await sizeOf(sha256)) === null) throw missing(sha256)
    const actual = await sha256OfFile(objectPath(sha256))
    if (actual !== sha256) await reject(sha256, actual)
  }

  async function slice(sha256: string, from: number, length: number): Promise<Uint8Array> {
    const path = objectPath(sha256)
    try {
      const file = await open(path)
      try {
        const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, from)
        return buffer.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    } catch (error) {
      throw isAbsent(error) ? missing(sha256) : unreadable(path, error)
    }
  }

  async function adopt(path: string): Promise<ArtifactRef> {
    // A second name for the bytes as they are now: writers replace the file, they never change it.
    const held = join(home, 'incoming', randomUUID())
    try {
      await mkdir(dirname(held), { recursive: true })
      await link(path, held)
      const sha256 = await sha256OfFile(held)
      const { size } = await stat(held)
      await mkdir(dirname(objectPath(sha256)), { recursive: true })
      await rename(held, objectPath(sha256))
      return { sha256, bytes: size }
    } catch (error) {
      await rm(held, { force: true })
      throw unwritable(held, error)
    }
  }

  async function receive(ref: ArtifactRef, fill: (incoming: Incoming) => Promise<void>, signal?: AbortSignal) {
    const { sha256 } = ref
    // Two runners on one home fetch an object once.
    const release = await takeLock(join(home, 'locks', `${sha256}.lock`), { signal })
    try {
      if ((await sizeOf(sha256)) === ref.bytes) return
      const actual = await receiveFile(join(home, 'incoming', sha256), { ...ref, target: objectPath(sha256) }, fill)
      if (actual !== sha256) {
        throw new StoreError(`${sha256}: what came has the SHA-256 ${actual}; it was thrown away, so run again`)
      }
    } catch (error) {
      throw localFaultOf(error, join(home, 'incoming', sha256)) ?? error
    } finally {
      await release()
    }
  }

  async function readRecord(key: string): Promise<StageRecord | null> {
    const bytes = await read(stagePath(key))
    return bytes && recordIn(new TextDecoder().decode(bytes))
  }

  async function readStage(key: string): Promise<StageResult | null> {
    const result = (await readRecord(key))?.result
    if (!result) return null
    const sizes = await Promise.all(Object.values(result.artifacts).map(({ sha256 }) => sizeOf(sha256)))
    const whole = Object.values(result.artifacts).every(({ bytes }, index) => sizes[index] === bytes)
    return whole ? result : null
  }

  return {
    home,
    put,
    get,
    has: async (sha256) => (await sizeOf(sha256)) !== null,
    slice,
    verify,
    receive,
    adopt,
    async place(sha256, path) {
      try {
        await mkdir(dirname(path), { recursive: true })
        await rename(objectPath(sha256), path)
      } catch (error) {
        throw unwritable(path, error)
      }
    },
    remove: (sha256) => rm(objectPath(sha256), { force: true }),
    readStage,
    async writeStage(key, result, spec, sources) {
      const about = { ...(spec && { spec }), ...(sources && { sources }) }
      await write(stagePath(key), recordText(recordAfter(await readRecord(key), result, about)))
    },
    async rejectStage(key) {
      const aside = join(home, 'corrupt', `${key}.json`)
      try {
        await mkdir(dirname(aside), { recursive: true })
        await rename(stagePath(key), aside)
      } catch (error) {
        if (!isAbsent(error)) throw unwritable(aside, error)
      }
    },
    async stageKeys() {
      try {
        const names = await readdir(join(home, 'stages'))
        return names.flatMap((name) => /^([0-9a-f]{64})\.json$/.exec(name)?.[1] ?? []).sort()
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return []
        throw unreadable(join(home, 'stages'), error)
      }
    },
    readRecord,
    async lockStage(key, options) {
      const path = join(home, 'locks', `${key}.lock`)
      try {
        return await takeLock(path, options)
      } catch (error) {
        options?.signal?.throwIfAborted()
        throw unwritable(path, error)
      }
    },
  }
}

const unreadable = (path: string, error: unknown) =>
  localFaultOf(error, path) ??
  new StoreError(`${path}: cannot be read: ${reasonOf(error)}; make it readable, or choose another home folder`)

const unwritable = (path: string, error: unknown) =>
  localFaultOf(error, path) ??
  new StoreError(`${path}: cannot be written: ${reasonOf(error)}; make room there, or choose another home folder`)

async function read(path: string): Promise<Uint8Array | null> {
  try {
    return await readIfPresent(path)
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function write(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await writeWhole(path, content)
  } catch (error) {
    throw unwritable(path, error)
  }
}
