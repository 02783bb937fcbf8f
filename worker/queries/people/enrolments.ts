/** Enrolment: a secret that an admin created becomes a runner, once. */
import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { z } from 'zod'
import type { createdEnrolment, createEnrolment as createRequest } from '../../../schema/api/enrolment.ts'
import { ApiError } from '../../../schema/errors.ts'
import { sha256Hex } from '../../../schema/parts/hash.ts'
import { type request as enrolRequest, proof } from '../../../schema/protocol/enrol.ts'
import { SignatureError, verify } from '../../../schema/signature.ts'
import { enrolments } from '../../../schema/tables/enrolments.ts'
import { runners } from '../../../schema/tables/runners.ts'
import { type Database, isoTime, newId, randomHex } from '../../bindings/database.ts'
import type { Once } from '../../http/idempotency.ts'
import { insertSelect } from '../parts/insert-select.ts'
import { createOnce } from '../parts/once.ts'

export async function createEnrolment(
  db: Database,
  { labels, expiresInSeconds }: z.infer<typeof createRequest>,
  { secret, once }: { secret: string; once: Once },
): Promise<z.infer<typeof createdEnrolment>> {
  const createdAt = once.now
  const expiresAt = createdAt + expiresInSeconds * 1000
  const { id } = await createOnce(db, once, async () => {
    const row = { id: newId(createdAt), secretSha256: await sha256Hex(secret), labels, createdAt, expiresAt }
    return { id: row.id, statements: [db.insert(enrolments).values(row)] }
  })
  const row = (await db.select().from(enrolments).where(eq(enrolments.id, id)).get())!
  return { id, secret, labels, createdAt: isoTime(row.createdAt), expiresAt: isoTime(row.expiresAt) }
}

/** The id and name of the new runner. A request repeated with the same key, since its answer was lost, is answered alike. */
export async function enrolRunner(
  db: Database,
  request: z.infer<typeof enrolRequest>,
  now: number,
): Promise<{ id: string; name: string }> {
  const { secret, name, publicKey } = request
  const secretSha256 = await sha256Hex(secret)
  await requireProof(request, secretSha256)
  const id = `rnr_${randomHex(8)}`
  const open = and(eq(enrolments.secretSha256, secretSha256), isNull(enrolments.usedAt), gt(enrolments.expiresAt, now))
  // One transaction: of two machines with one secret, one finds it used.
  const [, taken] = await db.batch([
    insertSelect(
      db,
      runners,
      {
        id,
        name,
        publicKey,
        labels: enrolments.labels,
        state: 'active',
        enrolledAt: now,
        lastSeenAt: null,
        probe: null,
        engines: null,
        stagesAtOnce: 1,
        pauseReason: null,
        trustedSince: null,
      },
      sql`FROM ${enrolments} WHERE ${open}`,
    ),
    db.update(enrolments).set({ usedAt: now, runnerId: id }).where(open).returning({ id: enrolments.id }),
  ])
  return taken.length > 0 ? { id, name } : enrolledBefore(db, secretSha256, publicKey.x, now)
}

async function requireProof({ publicKey, proof: signed }: z.infer<typeof enrolRequest>, secretSha256: string) {
  try {
    const said = await verify('enrolment', proof, signed, publicKey)
    if (said.secretSha256 === secretSha256) return
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error
    throw new ApiError('bad_signature', `proof: ${error.message}`)
  }
  throw new ApiError('bad_signature', 'proof: it was made for another enrolment secret; sign the one that is sent')
}

async function enrolledBefore(db: Database, secretSha256: string, x: string, now: number) {
  const row = await db
    .select({ enrolment: enrolments, runner: runners })
    .from(enrolments)
    .leftJoin(runners, eq(runners.id, enrolments.runnerId))
    .where(eq(enrolments.secretSha256, secretSha256))
    .get()
  const refuse = (why: string) => new ApiError('enrolment_refused', `${why}; ask an admin for a new enrolment`)
  if (!row) throw refuse('this enrolment secret is unknown here')
  const { enrolment, runner } = row
  if (runner?.publicKey.x === x) return { id: runner.id, name: runner.name }
  if (enrolment.usedAt !== null) {
    throw refuse(`this enrolment secret was used at ${isoTime(enrolment.usedAt)} by another machine, and works once`)
  }
  throw refuse(`this enrolment secret expired at ${isoTime(enrolment.expiresAt)}; it is ${isoTime(now)} here`)
}
