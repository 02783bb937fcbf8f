/** Retention: what is removed, and when. Nothing that a board, a run page or a reference links to is ever removed.
 *
 *  job         no run wants it any more for 30 days (all were cancelled): its result, artifacts and logs
 *  upload      parts of a large artifact of which none came for a day
 *  checkpoint  of a job that has ended
 *  artifact    named by nothing, and no runner sent it or asked for it for a day
 *  stray       an object in R2 older than a day that no row knows: what a crash between R2 and D1 left
 */

import { lte } from 'drizzle-orm'
import type { Removed, RetentionReport } from '../../../schema/api/retention.ts'
import { uploads } from '../../../schema/tables/uploads.ts'
import { type Database, isoTime } from '../../bindings/database.ts'
import {
  dropCheckpoints,
  emptyJobs,
  endedCheckpoints,
  forgetOrphans,
  MOST,
  orphans,
  unknownPaths,
  unwantedJobs,
} from './removable.ts'
import { dropUpload } from './uploads.ts'

const DAY = 24 * 3600 * 1000
const UNWANTED_DAYS = 30

interface Context {
  db: Database
  store: R2Bucket
  now: number
  dryRun: boolean
}

export async function applyRetention(context: Context): Promise<RetentionReport> {
  const { dryRun, now } = context
  const removed: Removed[] = []
  let more = false
  // Jobs and checkpoints first: what they named may be nothing's any more.
  for (const remove of [removeJobs, removeUploads, removeCheckpoints, removeOrphans, removeStrays]) {
    const found = await remove(context)
    more ||= found.length > MOST
    removed.push(...found.slice(0, MOST))
  }
  const totals: RetentionReport['totals'] = {}
  for (const { kind, bytes } of removed) {
    const { count, bytes: sum } = totals[kind] ?? { count: 0, bytes: 0 }
    totals[kind] = { count: count + 1, bytes: sum + bytes }
  }
  return { dryRun, at: isoTime(now), removed, totals, more }
}

const idsOf = (found: Removed[]) => found.slice(0, MOST).map(({ id }) => id)

async function removeJobs({ db, store, now, dryRun }: Context): Promise<Removed[]> {
  const old = now - UNWANTED_DAYS * DAY
  const found = await unwantedJobs(db, old)
  if (dryRun || found.length === 0) return found
  await emptyJobs(db, idsOf(found), old)
  for (const key of idsOf(found)) {
    for await (const objects of pagesOf(store, `logs/${key}/`)) {
      const unknown = await unknownPaths(
        db,
        objects.map(({ key }) => key),
      )
      if (unknown.size > 0) await store.delete([...unknown])
    }
  }
  return found
}

async function removeUploads({ db, store, now, dryRun }: Context): Promise<Removed[]> {
  const old = await db
    .select()
    .from(uploads)
    .where(lte(uploads.touchedAt, now - DAY))
    .limit(MOST + 1)
  if (!dryRun) for (const upload of old.slice(0, MOST)) await dropUpload(db, store, upload)
  return old.map(({ sha256, bytes }) => ({ kind: 'upload', id: sha256, bytes }))
}

async function removeCheckpoints({ db, dryRun }: Context): Promise<Removed[]> {
  const found = await endedCheckpoints(db)
  if (!dryRun && found.length > 0) await dropCheckpoints(db, idsOf(found))
  return found
}

async function removeOrphans({ db, store, now, dryRun }: Context): Promise<Removed[]> {
  const times = { old: now - DAY, unwantedSince: now - UNWANTED_DAYS * DAY }
  const found = await orphans(db, times)
  if (dryRun || found.length === 0) return found
  const paths = await forgetOrphans(db, idsOf(found), times)
  if (paths.length > 0) await store.delete(paths)
  return found
}

async function removeStrays({ db, store, now, dryRun }: Context): Promise<Removed[]> {
  const found: Removed[] = []
  for (const prefix of ['artifacts/', 'logs/']) {
    for await (const objects of pagesOf(store, prefix)) {
      const old = objects.filter(({ uploaded }) => uploaded.getTime() <= now - DAY)
      const unknown =
        old.length > 0
          ? await unknownPaths(
              db,
              old.map(({ key }) => key),
            )
          : new Set()
      const strays = old.filter(({ key }) => unknown.has(key)).slice(0, MOST + 1 - found.length)
      if (!dryRun && strays.length > 0) await store.delete(strays.map(({ key }) => key))
      found.push(...strays.map(({ key, size }): Removed => ({ kind: 'stray', id: key, bytes: size })))
      if (found.length > MOST) return found
    }
  }
  return found
}

/** Objects of R2 by the page. */
async function* pagesOf(store: R2Bucket, prefix: string): AsyncGenerator<R2Object[]> {
  let cursor: string | undefined
  do {
    const page = await store.list({ prefix, ...(cursor && { cursor }) })
    yield page.objects
    cursor = page.truncated ? page.cursor : undefined
  } while (cursor)
}
