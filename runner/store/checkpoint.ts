/** Half-done stages: one file a stage under `partial/` in the store's home, replaced as the stage goes on and removed when it is
 *  done. A file that can't be read counts as none. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../files/write.ts'
import { readSafetensors, type Safetensors, writeSafetensors } from './safetensors.ts'

export interface Checkpoint {
  load(): Promise<Safetensors | null>
  /** Whether the last write is long enough ago. */
  due(): boolean
  save(content: Safetensors): Promise<void>
  remove(): Promise<void>
}

/** How often a stage writes one: short against the time that a restart would cost, long against that of writing. */
const EVERY_MS = 30_000

export function checkpointOf(home: string, key: string, { everyMs = EVERY_MS } = {}): Checkpoint {
  const path = join(home, 'partial', `${key}.safetensors`)
  let last = performance.now()
  return {
    async load() {
      try {
        return readSafetensors(await readFile(path))
      } catch {
        return null
      }
    },
    due: () => performance.now() - last >= everyMs,
    async save({ tensors, metadata }) {
      await writeWhole(path, writeSafetensors(tensors, metadata))
      last = performance.now()
    },
    remove: () => rm(path, { force: true }),
  }
}
