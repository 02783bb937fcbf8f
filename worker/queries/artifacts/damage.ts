/** Whether bytes in storage are still what their hash names. */
import { hexOf } from '../../../schema/parts/hash.ts'
import type { Artifact } from './artifacts.ts'

/** Such as `is missing`; null where all is well. The bytes are hashed as they pass, however many. */
export async function damageOf(store: R2Bucket, { sha256, bytes, path }: Artifact): Promise<string | null> {
  const object = await store.get(path)
  if (!object) return 'is missing'
  if (object.size !== bytes) {
    await object.body.cancel()
    return `has ${object.size} bytes instead of ${bytes}`
  }
  const digest = new crypto.DigestStream('SHA-256')
  await object.body.pipeTo(digest)
  const actual = hexOf(new Uint8Array(await digest.digest))
  return actual === sha256 ? null : `hashes to ${actual.slice(0, 12)}`
}
