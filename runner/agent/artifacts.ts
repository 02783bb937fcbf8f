/** Artifacts by hash, between the runner's store and the server. */

import { MAX_BYTES } from '../../schema/protocol/upload.ts'
import type { ArtifactRef } from '../../schema/result.ts'
import { sha256Of } from '../files/digest.ts'
import type { Store } from '../store/store.ts'
import { type Client, RemoteError } from './client.ts'
import { StageFailure } from './failure.ts'
import type { HeldLease } from './heartbeat.ts'

/** Sends what the server does not have yet. */
export async function uploadArtifacts(
  { client, store, lease, key }: { client: Client; store: Store; lease: HeldLease; key: string },
  artifacts: Record<string, ArtifactRef>,
): Promise<void> {
  for (const [name, { sha256, bytes: size }] of Object.entries(artifacts)) {
    if (size > MAX_BYTES) {
      throw new StageFailure('configuration', `${name} has ${size} bytes; the server takes at most ${MAX_BYTES}`)
    }
    const signal = lease.signal
    if (await client.hasArtifact(sha256, { signal })) continue
    const bytes = await store.get(sha256)
    for (;;) {
      const token = lease.token()
      try {
        await client.upload(sha256, { bytes, key, token }, { signal })
        break
      } catch (error) {
        // A renewal between reading the token and its check makes it look stale; the next try has the newer one.
        const outrun = error instanceof RemoteError && error.code === 'stale_lease' && token !== lease.token()
        if (!outrun) throw error
      }
    }
  }
}

/** Fetches inputs that the store lacks, and checks them. */
export async function downloadArtifacts(
  { client, store, signal }: { client: Client; store: Store; signal: AbortSignal },
  artifacts: Record<string, ArtifactRef>,
): Promise<number> {
  let fetched = 0
  for (const [name, { sha256 }] of Object.entries(artifacts)) {
    if (await store.has(sha256)) continue
    const bytes = await client.download(sha256, { signal }).catch((error: unknown) => {
      if (!(error instanceof RemoteError)) throw error
      throw new StageFailure('dependency', `the input ${name} (${sha256}) cannot be had: ${error.message}`)
    })
    const actual = sha256Of(bytes)
    if (actual !== sha256) {
      throw new StageFailure('dependency', `the input ${name} came with the SHA-256 ${actual}; expected ${sha256}`)
    }
    await store.put(bytes)
    fetched += 1
  }
  return fetched
}
