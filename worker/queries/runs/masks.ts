/** The masks of a run, counted from their stored bits. */
import { countFree } from '../../../runner/formats/mask.ts'
import { SafetensorsError } from '../../../runner/formats/safetensors.ts'
import type { RunStage } from '../../../schema/api/run.ts'
import type { Database } from '../../bindings/database.ts'
import { artifactOf } from '../artifacts/artifacts.ts'

export interface CountedMask {
  name: string
  sha256: string
  /** How many of the weights were free to move; or why that is not known. */
  counted: { free: number; total: number } | string
}

const MASK = /^mask(\.\d+)?\.safetensors$/
/** More is not read for a page: 64 million weights. */
const MOST_BYTES = 8 << 20

export async function masksOf(
  db: Database,
  store: R2Bucket,
  stages: Pick<RunStage, 'artifacts'>[],
): Promise<CountedMask[]> {
  const files = stages.flatMap(({ artifacts }) => Object.entries(artifacts).filter(([name]) => MASK.test(name)))
  return Promise.all(
    files.map(async ([name, { sha256 }]) => ({ name, sha256, counted: await countIn(db, store, sha256) })),
  )
}

async function countIn(db: Database, store: R2Bucket, sha256: string): Promise<CountedMask['counted']> {
  const artifact = await artifactOf(db, sha256)
  if (artifact && artifact.bytes > MOST_BYTES) return 'too large to be counted for this page'
  const object = artifact && (await store.get(artifact.path))
  if (!object) return 'no longer stored'
  try {
    return countFree(new Uint8Array(await object.arrayBuffer()))
  } catch (error) {
    if (error instanceof SafetensorsError) return `not a mask: ${error.message}`
    throw error
  }
}
