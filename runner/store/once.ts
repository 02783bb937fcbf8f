/** Objects that several stages need and any of them can make: made once a home, whoever comes first. `once/<key>.json` names the
 *  object of an identity; a name that can't be read, or whose object is missing or damaged, counts as none. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { type ArtifactRef, artifactRef } from '../../schema/result.ts'
import { type LockOptions, takeLock } from './lock.ts'
import { type Store, StoreError } from './store.ts'
import { writeWhole } from './write.ts'

export interface MadeOnce {
  ref: ArtifactRef
  bytes: Uint8Array
  reused: boolean
  /** Seconds until no other process was making it. */
  waited: number
}

/** `identity` holds everything that determines the bytes. Throws what `make` throws, and then keeps nothing. */
export async function makeOnce(
  store: Store,
  identity: Record<string, unknown>,
  make: () => Promise<Uint8Array>,
  options: Pick<LockOptions, 'signal' | 'onWait'> & { onDamage?(): void } = {},
): Promise<MadeOnce> {
  const key = await sha256Hex(canonicalJson(identity))
  const path = join(store.home, 'once', `${key}.json`)
  const before = performance.now()
  const release = await takeLock(join(store.home, 'locks', `${key}.lock`), options)
  const waited = (performance.now() - before) / 1000
  try {
    const known = await readRef(path)
    if (known) {
      try {
        return { ref: known, bytes: await store.get(known.sha256), reused: true, waited }
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        options.onDamage?.()
      }
    }
    const bytes = await make()
    const ref = await store.put(bytes)
    await writeWhole(path, JSON.stringify(ref))
    return { ref, bytes, reused: false, waited }
  } finally {
    await release()
  }
}

async function readRef(path: string): Promise<ArtifactRef | null> {
  try {
    return artifactRef.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
