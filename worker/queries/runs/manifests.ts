/** Manifests: results as their runners signed them, checked on arrival and again whenever they are shown. */
import { and, desc, eq, inArray } from 'drizzle-orm'
import { ApiError } from '../../../schema/errors.ts'
import { canonicalJson, sha256Hex } from '../../../schema/parts/hash.ts'
import { type Manifest, manifest, type StoredManifest } from '../../../schema/protocol/manifest.ts'
import { fingerprintOf, SignatureError, verify } from '../../../schema/signature.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runners } from '../../../schema/tables/runners.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import { requireHandedOut } from '../parts/handed-out.ts'
import { type Claim, refusalOf } from '../parts/held.ts'
import { outOfRange } from '../parts/ranges.ts'

/** Which delivery should have been signed for. */
export interface Delivery {
  key: string
  /** Any, where it is left out. */
  attempt?: number
  runnerId: string
}

/** The delivery of a token, whether it still runs or has ended. */
export async function deliveryOf(db: Database, claim: Claim): Promise<Delivery> {
  const { key, tokenSha256 } = claim
  const row = await db
    .select({ attempt: jobs.deliveries, runnerId: jobs.runnerId })
    .from(jobs)
    .where(and(eq(jobs.key, key), eq(jobs.tokenSha256, tokenSha256)))
    .get()
  if (!row?.runnerId) throw await refusalOf(db, claim)
  return { key, attempt: row.attempt, runnerId: row.runnerId }
}

/** What the runner signed, once it is about this very delivery and its values lie in their ranges. */
export async function openManifest(db: Database, delivery: Delivery, jws: string): Promise<Manifest> {
  const { key, attempt, runnerId } = delivery
  const row = await db
    .select({ spec: jobs.spec, publicKey: runners.publicKey })
    .from(jobs)
    .innerJoin(runners, eq(runners.id, runnerId))
    .where(eq(jobs.key, key))
    .get()
  if (!row) throw new ApiError('not_found', `no job ${key}, or no runner ${runnerId}`)
  const signed = await verify('result', manifest, jws, row.publicKey).catch((error: unknown) => {
    if (error instanceof SignatureError) throw new ApiError('bad_signature', `job ${key}: ${error.message}`)
    throw error
  })
  const expected = {
    job: key,
    attempt: attempt ?? signed.attempt,
    runner: runnerId,
    specSha256: await sha256Hex(canonicalJson(row.spec)),
  }
  for (const [name, value] of Object.entries(expected)) {
    const got = signed[name as keyof typeof expected]
    if (got !== value) {
      throw new ApiError('manifest_mismatch', `the manifest names ${name} ${got}, but this delivery has ${value}`)
    }
  }
  const strange = outOfRange(signed.result)
  if (strange) throw new ApiError('invalid_request', `job ${key}: ${strange}`)
  await requireHandedOut(db, key, signed.began)
  return signed
}

export async function getManifest(db: Database, key: string): Promise<StoredManifest> {
  const found = (await listManifests(db, [key])).get(key)
  if (!found) throw new ApiError('not_found', `job ${key} has no manifest: no runner has finished it yet`)
  return found
}

/** By job key, of jobs that are done. One that does not verify any more has no `manifest`. */
export async function listManifests(db: Database, keys: string[]): Promise<Map<string, StoredManifest>> {
  const rows = await db
    .select({ key: deliveries.jobKey, jws: deliveries.manifest, endedAt: deliveries.endedAt, runner: runners })
    .from(deliveries)
    .innerJoin(runners, eq(runners.id, deliveries.runnerId))
    .where(and(inArray(deliveries.jobKey, keys), eq(deliveries.outcome, 'done')))
    .orderBy(desc(deliveries.attempt))
  const shown = rows.flatMap(({ key, jws, endedAt, runner }) => (jws ? [{ key, jws, endedAt, runner }] : []))
  return new Map(
    await Promise.all(
      shown.map(async ({ key, jws, endedAt, runner: { id, name, publicKey } }) => {
        const runner = { id, name, publicKey, fingerprint: await fingerprintOf(publicKey) }
        const signed = await verify('result', manifest, jws, publicKey).catch(() => null)
        return [key, { manifest: signed, jws, runner, receivedAt: isoTime(endedAt!) }] as const
      }),
    ),
  )
}
