/** Sends what is due to webhooks, by the operational rules of https://www.standardwebhooks.com: tried again for three days with
 *  growing pauses and jitter, and no longer sent to a webhook that is gone (410) or got nothing for as long as a message is
 *  tried. */
import { and, eq, inArray, isNull, lt, min, ne, sql } from 'drizzle-orm'
import { webhookAttempts } from '../../../schema/tables/webhook-attempts.ts'
import { webhookMessages } from '../../../schema/tables/webhook-messages.ts'
import { webhooks } from '../../../schema/tables/webhooks.ts'
import type { Database } from '../../bindings/database.ts'
import { type Bindings, settingsOf } from '../../bindings/env.ts'
import { insertSelect, numbered } from '../parts/insert-select.ts'
import { disableWebhooks } from './disable-webhooks.ts'
import { type Outcome, postWebhook } from './post-webhook.ts'

/** How many are sent at once, and how many of them to one webhook, so that a slow one doesn't hold up the others. */
const AT_ONCE = 20
const AT_ONCE_TO_ONE = 4
/** Of a pause, either way. */
const JITTER = 0.1
/** While there are webhooks, the database is asked this often, should a wake-up have been lost. */
const SWEEP_MS = 5 * 60_000
/** The log of what was sent is kept this long. */
const KEEP_MS = 30 * 24 * 3_600_000

interface Due {
  id: string
  webhookId: string
  url: string
  payload: string
  tries: number
}

/** Sends what is due and returns when to look again; null while nobody listens. */
export async function sendDue(db: Database, env: Bindings, clock: () => number = Date.now): Promise<number | null> {
  const due = await dueOf(db, clock())
  await Promise.all(due.map(async (message) => record(db, env, message, await postWebhook(message, env, clock))))
  if (due.length > 0) return clock()
  await forget(db, clock() - KEEP_MS)
  const [listening, first] = await db.batch([
    db.select({ id: webhooks.id }).from(webhooks).where(isNull(webhooks.disabledAt)).limit(1),
    db.select({ at: min(webhookMessages.nextAt) }).from(webhookMessages),
  ])
  return listening.length > 0 ? Math.min(clock() + SWEEP_MS, first[0]?.at ?? Number.POSITIVE_INFINITY) : null
}

const dueOf = (db: Database, now: number) =>
  db.all<Due>(sql`SELECT m.id, m.webhook_id AS "webhookId", w.url, m.payload, m.tries
    FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY webhook_id ORDER BY next_at, sequence) AS nth
      FROM webhook_messages WHERE next_at <= ${now}) m
    JOIN webhooks w ON w.id = m.webhook_id WHERE nth <= ${AT_ONCE_TO_ONE} ORDER BY m.next_at, m.sequence LIMIT ${AT_ONCE}`)

/** Writes down an attempt and what follows from it. A message or webhook that was deleted meanwhile stays so. */
async function record(db: Database, env: Bindings, message: Due, outcome: Outcome): Promise<void> {
  const { at, durationMs, status, error, retryAfterMs } = outcome
  const now = at + durationMs
  const isMessage = eq(webhookMessages.id, message.id)
  const isWebhook = eq(webhooks.id, message.webhookId)
  const log = insertSelect(
    db,
    webhookAttempts,
    { sequence: numbered, messageId: webhookMessages.id, at, durationMs, status, error },
    sql`FROM ${webhookMessages} WHERE ${isMessage}`,
  )
  // Replayed meanwhile, it starts anew.
  const sent = and(isMessage, eq(webhookMessages.tries, message.tries))
  const tries = message.tries + 1
  if (error === null) {
    await db.batch([
      log,
      db.update(webhookMessages).set({ state: 'delivered', tries, nextAt: null }).where(sent),
      db.update(webhooks).set({ failingSince: null }).where(isWebhook),
    ])
    return
  }
  const pauses = settingsOf(env).WEBHOOK_RETRIES_MS
  const pause = pauses[message.tries]
  const jittered = (ms: number) => Math.round(ms * (1 + JITTER * (2 * Math.random() - 1)))
  const next = pause === undefined ? null : now + Math.max(retryAfterMs ?? 0, jittered(pause))
  const patienceMs = Math.round(pauses.reduce((sum, each) => sum + each, 0) * (1 - JITTER))
  const reason =
    status === 410
      ? 'it answered 410: nothing is wanted there any more'
      : `nothing was delivered for ${duration(patienceMs)}; the last attempt: ${error}`
  const hopeless = status === 410 ? undefined : sql`${now} - ${webhooks.failingSince} >= ${patienceMs}`
  await db.batch([
    log,
    db
      .update(webhookMessages)
      .set({ tries, nextAt: next, state: next === null ? 'failed' : 'pending' })
      .where(sent),
    db
      .update(webhooks)
      .set({ failingSince: sql`COALESCE(${webhooks.failingSince}, ${now})` })
      .where(isWebhook),
    ...disableWebhooks(db, and(isWebhook, hopeless), { reason, now }),
  ])
}

const duration = (ms: number) => (ms < 3_600_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 3_600_000)} h`)

async function forget(db: Database, before: number): Promise<void> {
  const old = and(ne(webhookMessages.state, 'pending'), lt(webhookMessages.createdAt, before))
  await db.batch([
    db
      .delete(webhookAttempts)
      .where(
        inArray(webhookAttempts.messageId, db.select({ id: webhookMessages.id }).from(webhookMessages).where(old)),
      ),
    db.delete(webhookMessages).where(old),
  ])
}
