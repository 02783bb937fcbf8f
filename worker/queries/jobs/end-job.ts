/** Ending a delivery with a result. One batch ends job and delivery together, and tells of the runs that end with them; fail-job.ts
 *  ends one without. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import { version } from '../../../runner/words/version.ts'
import { ApiError } from '../../../schema/errors.ts'
import { canonicalJson } from '../../../schema/parts/hash.ts'
import type { WholeLog } from '../../../schema/protocol/log.ts'
import type { StageResult } from '../../../schema/result.ts'
import { artifacts } from '../../../schema/tables/artifacts.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import type { Database } from '../../bindings/database.ts'
import { resultUses } from '../artifacts/artifact-uses.ts'
import { checkLog } from '../logs/logs.ts'
import { type Claim, heldBy, refusalOf, requireLease } from '../parts/held.ts'
import { scoresOfResult } from '../parts/scores.ts'
import { checkResult } from '../results/check-result.ts'
import { announceEnds } from '../webhooks/announce-ends.ts'
import { metricsWanted } from './metrics-wanted.ts'

/** The same result under the same token is the same request, and is answered as before. */
export async function finishJob(
  db: Database,
  store: R2Bucket,
  claim: Claim,
  { result, log, manifest }: { result: StageResult; log: WholeLog; manifest: string },
): Promise<void> {
  if (await isFinished(db, claim, result)) return
  const { attempt } = await requireLease(db, claim)
  await requireArtifacts(db, result)
  await checkLog(db, store, { key: claim.key, attempt }, log)
  const worth = await checkResult(db, store, {
    key: claim.key,
    result,
    wanted: () => metricsWanted(db, claim.key),
  })
  const { seconds, device } = result
  const finishedAt = claim.now
  const [ended] = await db.batch([
    db
      .update(jobs)
      .set({ state: 'done', result, seconds, device, finishedAt })
      .where(and(heldBy(claim), eq(jobs.logLength, log.bytes)))
      .returning({ key: jobs.key }),
    endDelivery(db, claim, { log, manifest }),
    ...announceEnds(db, { jobs: [claim.key] }, claim.now),
    resultUses(db, claim),
    ...scoresOfResult(db, claim, worth, { runner: result.versions.palimpsest ?? '', server: version }),
  ])
  if (ended.length === 0 && !(await isFinished(db, claim, result))) throw await refusalOf(db, claim)
}

async function isFinished(db: Database, { key, tokenSha256 }: Claim, result: StageResult): Promise<boolean> {
  const row = await db
    .select({ result: jobs.result })
    .from(jobs)
    .where(and(eq(jobs.key, key), eq(jobs.tokenSha256, tokenSha256), sql`${jobs.state} = 'done'`))
    .get()
  return row?.result != null && canonicalJson(row.result) === canonicalJson(result)
}

async function requireArtifacts(db: Database, result: StageResult): Promise<void> {
  const named = Object.entries(result.artifacts)
  const stored = new Map<string, number>()
  for (let at = 0; at < named.length; at += 90) {
    const hashes = named.slice(at, at + 90).map(([, { sha256 }]) => sha256)
    const rows = await db.select().from(artifacts).where(inArray(artifacts.sha256, hashes))
    for (const row of rows) stored.set(row.sha256, row.bytes)
  }
  for (const [name, { sha256, bytes }] of named) {
    const size = stored.get(sha256)
    if (size === undefined)
      throw new ApiError('missing_artifact', `${name}: ${sha256} was not uploaded; upload it first`)
    if (size !== bytes) {
      throw new ApiError('missing_artifact', `${name}: expected ${bytes} bytes, but ${sha256} holds ${size}`)
    }
  }
}

/** Follows the statement that ended the job in the same batch; does nothing where that one did nothing. */
const endDelivery = (db: Database, claim: Claim, { log, manifest }: { log: WholeLog; manifest: string }) =>
  db
    .update(deliveries)
    .set({
      outcome: 'done',
      endedAt: claim.now,
      logBytes: sql`(SELECT log_length FROM jobs WHERE key = ${claim.key})`,
      logSha256: log.sha256,
      manifest,
    })
    .where(
      and(
        eq(deliveries.jobKey, claim.key),
        eq(deliveries.outcome, 'running'),
        sql`${deliveries.attempt} = (SELECT deliveries FROM jobs
          WHERE key = ${claim.key} AND token_sha256 = ${claim.tokenSha256} AND state <> 'leased')`,
      ),
    )
