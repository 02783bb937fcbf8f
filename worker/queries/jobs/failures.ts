/** When failures end a stage for good. What one runner says is its word alone: it ends a stage only where no other runner is there
 *  to be asked. Failures of a runner that the server paused by itself (suspicion.ts), or that was revoked, count for nothing. */
import { type SQL, sql } from 'drizzle-orm'
import type { FailureReason } from '../../../schema/protocol/fail.ts'
import { deliveries } from '../../../schema/tables/deliveries.ts'
import { jobs } from '../../../schema/tables/jobs.ts'
import { runners } from '../../../schema/tables/runners.ts'
import { SILENT_MS } from '../parts/present.ts'

/** How often a stage may fail, for reasons that another try may not meet, before it stays failed: on so many runners, or so often
 *  in all where every runner that is there has tried. */
const MAX_FAILURES = 3
/** Reasons that lie in what was submitted: every runner would meet them, so two that did are enough. */
const FINAL_REASONS: readonly FailureReason[] = ['submission_error', 'numeric_divergence', 'configuration']
const AGREEING = 2

const finalReasons = sql`(SELECT value FROM json_each(${JSON.stringify(FINAL_REASONS)}))`

/** Of a delivery `d` of runner `r`: it failed and counts. */
const fails = sql`d.outcome = 'failed' AND d.attempt > ${jobs.anewAfter}
  AND r.state <> 'revoked' AND r.pause_reason IS NULL AND d.ended_at > COALESCE(r.trusted_since, -1)`

const deliveriesWhere = (which: SQL) => sql`FROM ${deliveries} d JOIN ${runners} r ON r.id = d.runner_id
  WHERE d.job_key = ${jobs.key} AND (${which})`

/** Failed deliveries `d` of the job of the outer statement that count. */
const counted = deliveriesWhere(fails)

/** Deliveries `d` whose runners are not the ones to ask again: they failed, could not use what the job reads, or made a result that
 *  was set aside. */
const spent = deliveriesWhere(
  sql`(${fails}) OR d.outcome = 'set-aside' OR (d.outcome = 'released' AND d.reason = 'input')`,
)

/** Whether a runner that is there could do the job of the outer statement and has not tried in vain. */
const untried = (now: number): SQL => sql`EXISTS (SELECT 1 FROM ${runners} o
  WHERE o.state = 'active' AND o.last_seen_at > ${now - SILENT_MS} AND ${couldDo}
  AND NOT EXISTS (SELECT 1 ${spent} AND d.runner_id = o.id))`

/** What schema/requirements.ts asks, of the runner `o` as it last showed itself. */
const couldDo = sql`${jobs.engine} IN (SELECT value FROM json_each(o.engines))
  AND (${jobs.requires} IS NULL OR (
  COALESCE(${jobs.requires} ->> 'provider', o.probe ->> '$.device.provider') = o.probe ->> '$.device.provider'
  AND COALESCE(${jobs.requires} ->> 'memoryBytes', 0) <= o.probe ->> 'memoryBytes'
  AND COALESCE(${jobs.requires} ->> 'gpuMemoryBytes', 0) <=
    COALESCE((SELECT MAX(gpu.value ->> 'memoryBytes') FROM json_each(o.probe, '$.gpus') gpu), 0)
  AND NOT EXISTS (SELECT 1 FROM json_each(${jobs.requires}, '$.labels') wanted
    WHERE wanted.value NOT IN (SELECT value FROM json_each(o.labels)))))`

/** Whether a runner tried the job of the outer statement in vain while another one is there that did not: that one is given it. */
export const leftToOthers = (runnerId: string, now: number): SQL => sql`(${jobs.deliveries} > 0
  AND EXISTS (SELECT 1 ${spent} AND d.runner_id = ${runnerId}) AND ${untried(now)})`

/** Whether the job of the outer statement has failed for good, by deliveries that have ended; `reason` is the last one's. */
export const failedForGood = (reason: SQL, now: number): SQL => sql`(
  (SELECT COUNT(DISTINCT d.runner_id) ${counted}) >= ${MAX_FAILURES}
  OR (${reason} IN ${finalReasons} AND (SELECT COUNT(DISTINCT d.runner_id) ${counted} AND d.reason IN ${finalReasons}) >= ${AGREEING})
  OR (((SELECT COUNT(*) ${counted}) >= ${MAX_FAILURES}
    OR (${reason} IN ${finalReasons} AND EXISTS (SELECT 1 ${counted} AND d.reason IN ${finalReasons}))) AND NOT ${untried(now)}))`

/** Whether the newest delivery of the job of the outer statement failed and counts. */
export const newestCounts = sql`EXISTS (SELECT 1 ${counted} AND d.attempt = ${jobs.deliveries})`
