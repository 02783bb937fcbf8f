/** Half-done stages: one file a stage under `partial/` in the store's home, replaced as the stage goes on and removed when it is
 *  done. A file that can't be read, or that another version wrote, counts as none. */
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readMetadata, readSafetensors, type Safetensors, writeSafetensors } from '../formats/safetensors.ts'
import { version } from '../words/version.ts'
import { writeWhole } from './write.ts'

export interface Checkpoint {
  load(): Promise<Safetensors | null>
  /** Whether the last write is long enough ago. */
  due(): boolean
  /** `position` grows as the stage goes on, on whatever machine: of two checkpoints of a stage the larger one is further. */
  save(content: Safetensors & { position: number }): Promise<void>
  remove(): Promise<void>
}

/** How often a stage writes one: short against the time that a restart would cost, long against that of writing. */
export const CHECKPOINT_MS = 30_000

export const checkpointPath = (home: string, key: string): string => join(home, 'partial', `${key}.safetensors`)

export function checkpointOf(home: string, key: string, { everyMs = CHECKPOINT_MS } = {}): Checkpoint {
  const path = checkpointPath(home, key)
  let last = performance.now()
  return {
    async load() {
      try {
        const content = readSafetensors(await readFile(path))
        return content.metadata.palimpsest === version ? content : null
      } catch {
        return null
      }
    },
    due: () => performance.now() - last >= everyMs,
    async save({ tensors, metadata, position }) {
      await writeWhole(path, writeSafetensors(tensors, { ...metadata, position: `${position}`, palimpsest: version }))
      last = performance.now()
    },
    remove: () => rm(path, { force: true }),
  }
}

/** How far the checkpoint of a stage is; null where there is none that this version can use. Reads its header only. */
export async function checkpointPosition(home: string, key: string): Promise<number | null> {
  try {
    const file = await open(checkpointPath(home, key))
    try {
      const { position, palimpsest } = await readMetadata(async (from, length) => {
        const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, from)
        return buffer.subarray(0, bytesRead)
      })
      return palimpsest === version && position !== undefined ? Number(position) : null
    } finally {
      await file.close()
    }
  } catch {
    return null
  }
}
