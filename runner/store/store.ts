/** What stages leave behind, under one home folder: `objects/<2 hex>/<sha256>` by content, `stages/<key>.json` by stage key,
 *  `locks/<key>.lock` while a stage is computed, `corrupt/` for objects that no longer match their name. */
import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArtifactRef, type StageResult, stageResult } from '../../schema/result.ts'
import type { StageKey } from '../../schema/stage.ts'
import { sha256Of } from '../files/digest.ts'
import { codeOf, reasonOf, writeWhole } from '../files/write.ts'
import { type LockOptions, takeLock } from './lock.ts'

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
  /** Null when the stage is not done, when its file is not valid or when one of its artifacts is missing. */
  readStage(key: StageKey): Promise<StageResult | null>
  writeStage(key: StageKey, result: StageResult): Promise<void>
  /** Waits until no other process computes the stage; returns the release. Read the stage again after waiting. */
  lockStage(key: StageKey, options?: LockOptions): Promise<() => Promise<void>>
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

  async function get(sha256: string): Promise<Uint8Array> {
    const path = objectPath(sha256)
    const bytes = await read(path)
    if (!bytes) throw new StoreError(`${path}: not found; run again, and the stage that makes it will be computed`)
    const actual = sha256Of(bytes)
    if (actual === sha256) return bytes
    const aside = join(home, 'corrupt', sha256)
    await mkdir(join(home, 'corrupt'), { recursive: true })
    await rename(path, aside)
    throw new StoreError(
      `${path}: its content has the SHA-256 ${actual}, so the file is damaged; it was moved to ${aside}; run again, and the stage that makes it will be computed anew`,
    )
  }

  async function readStage(key: StageKey): Promise<StageResult | null> {
    const bytes = await read(stagePath(key))
    if (!bytes) return null
    const result = stageResult.safeParse(jsonOrNull(bytes)).data
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
    readStage,
    writeStage: async (key, result) => write(stagePath(key), `${JSON.stringify(stageResult.parse(result), null, 2)}\n`),
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

const isAbsent = (error: unknown) => ['ENOENT', 'ENOTDIR'].includes(codeOf(error))

const unreadable = (path: string, error: unknown) =>
  new StoreError(`${path}: cannot be read: ${reasonOf(error)}; make it readable, or choose another home folder`)

const unwritable = (path: string, error: unknown) =>
  new StoreError(`${path}: cannot be written: ${reasonOf(error)}; make room there, or choose another home folder`)

async function read(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isAbsent(error)) return null
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

function jsonOrNull(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}
