/** Evidence as it lies in R2. */
import { sql } from 'drizzle-orm'
import { EVIDENCE, type ScienceTask } from '../../../runner/science/task.ts'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import type { ArtifactRef } from '../../../schema/result.ts'
import { artifacts } from '../../../schema/tables/artifacts.ts'
import type { Database } from '../../bindings/database.ts'

/** The most bytes of one evaluation: they are held three times while they are decoded, and a Worker has 128 MB. */
export const MOST_BYTES = 16 * 2 ** 20

export type Refs = Record<string, ArtifactRef>

export type Read = { evidence: unknown } | { trouble: string }

/** Those of the artifacts of an evaluate job that its metrics are computed from. */
export const evidenceIn = ({ files }: ScienceTask, all: Refs): Refs =>
  Object.fromEntries(files.flatMap((name) => (all[name] ? [[name, all[name]]] : [])))

export const bytesOf = (refs: Refs): number => Object.values(refs).reduce((sum, { bytes }) => sum + bytes, 0)

/** Reads evidence of several jobs; what they share is read once. */
export async function evidenceReader(db: Database, store: R2Bucket, all: Refs[]) {
  const hashes = [...new Set(all.flatMap((refs) => Object.values(refs).map(({ sha256 }) => sha256)))]
  const rows = await db
    .select({ sha256: artifacts.sha256, path: artifacts.path })
    .from(artifacts)
    .where(sql`${artifacts.sha256} IN (SELECT value FROM json_each(${JSON.stringify(hashes)}))`)
  const paths = new Map(rows.map(({ sha256, path }) => [sha256, path]))
  let shared: { sha256: string; bytes: Uint8Array } | null = null

  async function bytesFor(name: string, sha256: string): Promise<Uint8Array | string> {
    if (shared?.sha256 === sha256) return shared.bytes
    const path = paths.get(sha256)
    const object = path ? await store.get(path) : null
    if (!object) return `${name} (${sha256}) is missing`
    const bytes = new Uint8Array(await object.arrayBuffer())
    const actual = await sha256Hex(bytes)
    if (actual !== sha256) return `${name} is damaged: expected the SHA-256 ${sha256}, got ${actual}`
    if (name !== EVIDENCE) shared = { sha256, bytes }
    return bytes
  }

  return async (science: ScienceTask, refs: Refs): Promise<Read> => {
    const files = new Map<string, Uint8Array>()
    for (const [name, { sha256 }] of Object.entries(refs)) {
      const bytes = await bytesFor(name, sha256)
      if (typeof bytes === 'string') return { trouble: bytes }
      files.set(name, bytes)
    }
    try {
      return { evidence: science.decode(files) }
    } catch (error) {
      return { trouble: (error as Error).message }
    }
  }
}
