/** Uploads of large artifacts in parts, by R2's multipart upload. Each part is verified as it comes, the whole before it can be
 *  read: only then does the artifact get its row. */
import { and, asc, eq } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { hexOf, sha256Hex } from '../../../schema/parts/hash.ts'
import { PART_BYTES } from '../../../schema/protocol/upload.ts'
import { uploadParts } from '../../../schema/tables/upload-parts.ts'
import { uploads } from '../../../schema/tables/uploads.ts'
import type { Database } from '../../bindings/database.ts'
import { artifactOf, keepArtifact, newPath } from './artifacts.ts'

type Upload = typeof uploads.$inferSelect

const partCount = (bytes: number) => Math.ceil(bytes / PART_BYTES)

const uploadOf = (db: Database, sha256: string) => db.select().from(uploads).where(eq(uploads.sha256, sha256)).get()

const partsOf = (db: Database, { uploadId }: Upload) =>
  db.select().from(uploadParts).where(eq(uploadParts.uploadId, uploadId)).orderBy(asc(uploadParts.number))

/** Begins the upload of a hash or goes on with it; gives the numbers of the parts that are there. One that was announced with
 *  another size is given up. */
export async function beginUpload(db: Database, store: R2Bucket, sha256: string, bytes: number, now: number) {
  const known = await uploadOf(db, sha256)
  if (known?.bytes === bytes) {
    await db.update(uploads).set({ touchedAt: now }).where(eq(uploads.uploadId, known.uploadId))
    return (await partsOf(db, known)).map(({ number }) => number)
  }
  if (known) await dropUpload(db, store, known)
  const path = newPath(sha256)
  const { uploadId } = await store.createMultipartUpload(path)
  const [begun] = await db
    .insert(uploads)
    .values({ sha256, bytes, path, uploadId, touchedAt: now })
    .onConflictDoNothing()
    .returning()
  // Two runners began at once: both go on with the first.
  if (!begun) await store.resumeMultipartUpload(path, uploadId).abort()
  return []
}

export interface Part {
  number: number
  /** Of the part alone. */
  sha256: string
  content: Uint8Array<ArrayBuffer>
}

/** Stores a part that has the size and the hash that it should have. */
export async function storePart(db: Database, store: R2Bucket, sha256: string, part: Part, now: number): Promise<void> {
  const { number, content } = part
  const upload = await uploadOf(db, sha256)
  if (!upload) throw noUpload(sha256)
  const count = partCount(upload.bytes)
  const size = number < count ? PART_BYTES : upload.bytes - (count - 1) * PART_BYTES
  if (number > count) throw new ApiError('invalid_request', `expected a part from 1 to ${count}, got ${number}`)
  if (content.byteLength !== size) {
    throw new ApiError('invalid_request', `part ${number}: expected ${size} bytes, got ${content.byteLength}`)
  }
  const actual = await sha256Hex(content)
  if (actual !== part.sha256) {
    throw new ApiError(
      'hash_mismatch',
      `part ${number}: expected the SHA-256 ${part.sha256}, got ${actual}; send it again`,
    )
  }
  const { uploadId, path } = upload
  const { etag } = await store
    .resumeMultipartUpload(path, uploadId)
    .uploadPart(number, content)
    .catch((error: Error) => giveUp(db, upload, error))
  const row = { sha256: actual, bytes: size, etag }
  await db.batch([
    db
      .insert(uploadParts)
      .values({ uploadId, number, ...row })
      .onConflictDoUpdate({ target: [uploadParts.uploadId, uploadParts.number], set: row }),
    db.update(uploads).set({ touchedAt: now }).where(eq(uploads.uploadId, uploadId)),
  ])
}

/** Joins the parts, verifies the whole by streaming it through a digest, and makes it readable. */
export async function completeUpload(db: Database, store: R2Bucket, sha256: string, now: number): Promise<number> {
  const done = await artifactOf(db, sha256)
  if (done) return done.bytes
  const upload = await uploadOf(db, sha256)
  if (!upload) throw noUpload(sha256)
  const { path, bytes, uploadId } = upload
  const parts = await partsOf(db, upload)
  const have = new Set(parts.map(({ number }) => number))
  const missing = Array.from({ length: partCount(bytes) }, (_, i) => i + 1).filter((number) => !have.has(number))
  if (missing.length > 0) {
    throw new ApiError('upload_incomplete', `${sha256}: parts ${missing.join(', ')} have not come; send them first`)
  }
  // An earlier request may have joined the parts and then been cut off.
  if (!(await store.head(path))) {
    await store
      .resumeMultipartUpload(path, uploadId)
      .complete(parts.map(({ number, etag }) => ({ partNumber: number, etag })))
      .catch((error: Error) => giveUp(db, upload, error))
  }
  const actual = await digestOf(store, path)
  if (actual !== sha256) {
    await forget(db, upload)
    await store.delete(path)
    throw new ApiError(
      'hash_mismatch',
      `the parts hash to ${actual} as a whole, not to ${sha256}; send all of them again`,
    )
  }
  await keepArtifact(db, store, { sha256, bytes, path }, now)
  await forget(db, upload)
  return bytes
}

async function digestOf(store: R2Bucket, path: string): Promise<string | null> {
  const object = await store.get(path)
  if (!object) return null
  const digest = new crypto.DigestStream('SHA-256')
  await object.body.pipeTo(digest)
  return hexOf(new Uint8Array(await digest.digest))
}

/** Gives an upload up; its parts are gone. */
export async function dropUpload(db: Database, store: R2Bucket, upload: Upload): Promise<void> {
  await forget(db, upload)
  const { path, uploadId } = upload
  // What can't be aborted was completed or aborted before, or R2 drops it itself after seven days.
  await store
    .resumeMultipartUpload(path, uploadId)
    .abort()
    .catch(() => {})
}

async function forget(db: Database, { sha256, uploadId }: Upload): Promise<void> {
  await db.batch([
    db.delete(uploads).where(and(eq(uploads.sha256, sha256), eq(uploads.uploadId, uploadId))),
    db.delete(uploadParts).where(eq(uploadParts.uploadId, uploadId)),
  ])
}

/** R2 no longer takes this upload. Not aborted: another request may be joining its parts at this moment. */
async function giveUp(db: Database, upload: Upload, error: Error): Promise<never> {
  await forget(db, upload)
  throw new ApiError('upload_incomplete', `${upload.sha256}: the upload broke (${error.message}); begin it again`)
}

const noUpload = (sha256: string) =>
  new ApiError('upload_incomplete', `no upload of ${sha256} was begun; begin it first`)
