/** Artifacts by SHA-256: bytes in R2, sizes and paths in D1. An artifact exists once it has a row, and a row is written only
 *  after its bytes were verified. */
import { eq } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { artifacts } from '../../../schema/tables/artifacts.ts'
import { type Database, randomHex } from '../../bindings/database.ts'

export interface Artifact {
  sha256: string
  bytes: number
  path: string
}

/** A path in R2 that is nobody else's, so that no upload ever writes over verified bytes. */
export const newPath = (sha256: string) => `artifacts/${sha256}/${randomHex(8)}`

export async function artifactOf(db: Database, sha256: string): Promise<Artifact | null> {
  return (await db.select().from(artifacts).where(eq(artifacts.sha256, sha256)).get()) ?? null
}

/** Marks an artifact as wanted by a runner now, so that retention leaves it to the job that is about to name it. */
export async function touchArtifact(db: Database, sha256: string, now: number): Promise<boolean> {
  const touched = await db
    .update(artifacts)
    .set({ touchedAt: now })
    .where(eq(artifacts.sha256, sha256))
    .returning({ sha256: artifacts.sha256 })
  return touched.length > 0
}

/** Makes verified bytes readable by their hash. When another upload of the same bytes was faster, this one's are removed. */
export async function keepArtifact(db: Database, store: R2Bucket, artifact: Artifact, now: number): Promise<void> {
  const [kept] = await db
    .insert(artifacts)
    .values({ ...artifact, touchedAt: now })
    .onConflictDoUpdate({ target: artifacts.sha256, set: { touchedAt: now } })
    .returning({ path: artifacts.path })
  if (kept!.path !== artifact.path) await store.delete(artifact.path)
}

/** Streams the body into R2, which verifies the hash and keeps nothing that differs. */
export async function storeArtifact(
  db: Database,
  store: R2Bucket,
  { sha256, bytes, body }: { sha256: string; bytes: number; body: ReadableStream | null },
  now: number,
): Promise<void> {
  const path = newPath(sha256)
  const content = body && bytes > 0 ? body.pipeThrough(new FixedLengthStream(bytes)) : new Uint8Array()
  try {
    await store.put(path, content, { sha256 })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (/checksum|digest|did not match/i.test(message)) {
      throw new ApiError('hash_mismatch', `the body does not hash to ${sha256}; send the bytes that the path names`)
    }
    throw error
  }
  await keepArtifact(db, store, { sha256, bytes, path }, now)
}
