/** Artifacts by SHA-256: bytes in R2, sizes in D1. */
import { ApiError } from '../../schema/errors.ts'
import { artifacts } from '../../schema/tables/artifacts.ts'
import type { Database } from '../database.ts'

export const pathOfArtifact = (sha256: string) => `artifacts/${sha256}`

/** Streams the body into R2, which verifies the hash and keeps nothing that differs. */
export async function storeArtifact(
  db: Database,
  store: R2Bucket,
  { sha256, bytes, body }: { sha256: string; bytes: number; body: ReadableStream | null },
): Promise<void> {
  const content = body && bytes > 0 ? body.pipeThrough(new FixedLengthStream(bytes)) : new Uint8Array()
  try {
    await store.put(pathOfArtifact(sha256), content, { sha256 })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (/checksum|digest|did not match/i.test(message)) {
      throw new ApiError('hash_mismatch', `the body does not hash to ${sha256}; send the bytes that the path names`)
    }
    throw error
  }
  await db.insert(artifacts).values({ sha256, bytes, createdAt: Date.now() }).onConflictDoNothing()
}
