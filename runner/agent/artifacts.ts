/** Artifacts by hash, between the runner's store and the server. */

import { MAX_BYTES } from '../../schema/protocol/upload.ts'
import type { ArtifactRef, Progress } from '../../schema/result.ts'
import { sha256Of } from '../store/digest.ts'
import { type Store, StoreError } from '../store/store.ts'
import { byteSize } from '../words/numbers.ts'
import { type Client, RemoteError } from './client.ts'
import { StageFailure } from './failure.ts'
import { type HeldLease, isRefusal } from './heartbeat.ts'

/** How often an upload is begun before its refusal counts. */
const ROUNDS = 3
/** Smaller files come and go without a word. */
const WORTH_TELLING = 20 * 1024 ** 2
const TELL_EVERY_MS = 1000

export interface Transfer {
  client: Client
  store: Store
  signal: AbortSignal
  say(line: string): void
  onProgress(progress: Progress): void
}

export interface Uploading extends Transfer {
  lease: HeldLease
}

/** Sends what the server does not have yet; what an earlier attempt sent is not sent again. */
export async function uploadArtifacts(context: Uploading, artifacts: Record<string, ArtifactRef>): Promise<void> {
  for (const [name, ref] of Object.entries(artifacts)) await uploadArtifact(context, name, ref)
}

export async function uploadArtifact(context: Uploading, name: string, { sha256, bytes }: ArtifactRef): Promise<void> {
  const { client, store, lease, signal } = context
  if (bytes > MAX_BYTES) {
    throw new StageFailure('configuration', `${name} has ${bytes} bytes; the server takes at most ${MAX_BYTES}`)
  }
  for (let round = 1; ; round++) {
    try {
      const told = await writing(lease, (token) => client.beginUpload(sha256, token, { bytes }, { signal }))
      if (told.kind === 'stored') return
      if (bytes >= WORTH_TELLING) context.say(`sending ${name}, ${byteSize(bytes)}`)
      if (told.kind === 'whole') {
        const content = await store.get(sha256)
        await writing(lease, (token) => client.upload(sha256, token, content, { signal }))
      } else await uploadParts(context, name, { sha256, bytes }, told)
      return
    } catch (error) {
      const code = error instanceof RemoteError ? error.code : ''
      // What was sent is not what the hash names: throws when that is because the file here is damaged.
      if (code === 'hash_mismatch') await store.verify(sha256)
      if (round === ROUNDS || !['hash_mismatch', 'upload_incomplete'].includes(code)) throw error
      context.say(`${name} is sent again: ${(error as Error).message}`)
    }
  }
}

async function uploadParts(
  context: Uploading,
  name: string,
  { sha256, bytes }: ArtifactRef,
  { partBytes, stored }: { partBytes: number; stored: number[] },
): Promise<void> {
  const { client, store, lease, signal, say, onProgress } = context
  const count = Math.ceil(bytes / partBytes)
  if (stored.length > 0) say(`${stored.length} of ${count} parts of ${name} are there already`)
  for (let number = 1; number <= count; number++) {
    if (!stored.includes(number)) {
      const part = await store.slice(sha256, (number - 1) * partBytes, partBytes)
      const partSha256 = sha256Of(part)
      await writing(lease, (token) => client.uploadPart(sha256, token, { number, partSha256, bytes: part }, { signal }))
    }
    onProgress({ phase: `sending ${name}`, done: Math.min(bytes, number * partBytes), total: bytes, unit: 'bytes' })
  }
  await writing(lease, (token) => client.completeUpload(sha256, token, { signal }))
}

/** Sends with the newest token, beside the renewals: a transfer may take longer than a lease, and does no harm twice. */
async function writing<T>(lease: HeldLease, send: (token: string) => Promise<T>): Promise<T> {
  for (;;) {
    const token = lease.token()
    try {
      return await send(token)
    } catch (error) {
      if (!isRefusal(error)) throw error
      // A renewal between reading the token and its check makes it look stale; the next try has the newer one.
      if (token === lease.token()) await lease.renew()
    }
  }
}

/** Fetches inputs that the store lacks, and checks them. */
export async function downloadArtifacts(context: Transfer, artifacts: Record<string, ArtifactRef>): Promise<number> {
  let fetched = 0
  for (const [name, ref] of Object.entries(artifacts)) {
    if (await context.store.has(ref.sha256)) continue
    await downloadArtifact(context, name, ref)
    fetched += 1
  }
  return fetched
}

/** Streams to the disk; goes on where an earlier attempt was cut off. */
export async function downloadArtifact(
  { client, store, signal, say, onProgress }: Transfer,
  name: string,
  ref: ArtifactRef,
): Promise<void> {
  const { sha256, bytes } = ref
  if (bytes >= WORTH_TELLING) say(`fetching ${name}, ${byteSize(bytes)}`)
  const fill: Parameters<Store['receive']>[1] = (file) => {
    let told = performance.now()
    const append = async (piece: Uint8Array) => {
      await file.append(piece)
      if (performance.now() - told < TELL_EVERY_MS) return
      told = performance.now()
      onProgress({ phase: `fetching ${name}`, done: file.size(), total: bytes, unit: 'bytes' })
    }
    return client.download(ref, { ...file, append }, { signal })
  }
  try {
    await store.receive(ref, fill, signal)
  } catch (error) {
    if (!(error instanceof RemoteError || error instanceof StoreError)) throw error
    throw new StageFailure('input', `the input ${name} (${sha256}) cannot be had: ${error.message}`)
  }
}
