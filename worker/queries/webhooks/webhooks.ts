/** Webhooks of a submitter and what was sent to them. */
import { and, asc, count, desc, eq, inArray, lt } from 'drizzle-orm'
import type { z } from 'zod'
import type {
  createWebhook as shape,
  Webhook,
  WebhookMessage,
  webhookMessageList,
} from '../../../schema/api/webhook.ts'
import { ApiError } from '../../../schema/errors.ts'
import { webhookAttempts } from '../../../schema/tables/webhook-attempts.ts'
import { webhookMessages } from '../../../schema/tables/webhook-messages.ts'
import { webhooks } from '../../../schema/tables/webhooks.ts'
import { type Database, isoTime, newId } from '../../bindings/database.ts'
import type { Identity } from '../../bindings/env.ts'
import type { Once } from '../../http/idempotency.ts'
import { createOnce } from '../parts/once.ts'

/** Of one submitter. */
const MAX_WEBHOOKS = 10

const isoOrNull = (ms: number | null) => (ms === null ? null : isoTime(ms))

const shown = (row: typeof webhooks.$inferSelect): Webhook => ({
  id: row.id,
  url: row.url,
  events: row.events,
  createdAt: isoTime(row.createdAt),
  failingSince: isoOrNull(row.failingSince),
  disabledAt: isoOrNull(row.disabledAt),
  disabledReason: row.disabledReason,
})

const own = ({ tokenId }: Identity, id?: string) =>
  and(eq(webhooks.tokenId, tokenId), id === undefined ? undefined : eq(webhooks.id, id))

export async function createWebhook(
  db: Database,
  { url, events }: z.infer<typeof shape>,
  { identity, once }: { identity: Identity; once: Once },
): Promise<Webhook> {
  const { id } = await createOnce(db, once, async () => {
    const [found] = await db.select({ count: count() }).from(webhooks).where(own(identity))
    if (found!.count >= MAX_WEBHOOKS) {
      throw new ApiError('conflict', `expected at most ${MAX_WEBHOOKS} webhooks of one submitter; delete one first`)
    }
    const row = { id: newId(once.now), tokenId: identity.tokenId, url, events, createdAt: once.now }
    return { id: row.id, statements: [db.insert(webhooks).values(row)] }
  })
  return getWebhook(db, id, identity)
}

export async function getWebhook(db: Database, id: string, identity: Identity): Promise<Webhook> {
  const row = await db.select().from(webhooks).where(own(identity, id)).get()
  if (!row) throw new ApiError('not_found', `you have no webhook "${id}"`)
  return shown(row)
}

export async function listWebhooks(db: Database, identity: Identity): Promise<{ webhooks: Webhook[] }> {
  const rows = await db.select().from(webhooks).where(own(identity)).orderBy(asc(webhooks.id))
  return { webhooks: rows.map(shown) }
}

/** Deletes it with all that was sent to it, and returns what it was. */
export async function deleteWebhook(db: Database, id: string, identity: Identity): Promise<Webhook> {
  const webhook = await getWebhook(db, id, identity)
  const messages = db.select({ id: webhookMessages.id }).from(webhookMessages).where(eq(webhookMessages.webhookId, id))
  await db.batch([
    db.delete(webhookAttempts).where(inArray(webhookAttempts.messageId, messages)),
    db.delete(webhookMessages).where(eq(webhookMessages.webhookId, id)),
    db.delete(webhooks).where(eq(webhooks.id, id)),
  ])
  return webhook
}

export async function listMessages(
  db: Database,
  id: string,
  identity: Identity,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<z.infer<typeof webhookMessageList>> {
  await getWebhook(db, id, identity)
  const rows = await db
    .select()
    .from(webhookMessages)
    .where(
      and(
        eq(webhookMessages.webhookId, id),
        before === undefined ? undefined : lt(webhookMessages.sequence, sequenceOf(db, before)),
      ),
    )
    .orderBy(desc(webhookMessages.sequence))
    .limit(limit + 1)
  const page = rows.slice(0, limit)
  return { deliveries: await withAttempts(db, page), next: rows.length > limit ? page.at(-1)!.id : null }
}

const sequenceOf = (db: Database, message: string) =>
  db.select({ sequence: webhookMessages.sequence }).from(webhookMessages).where(eq(webhookMessages.id, message))

async function withAttempts(
  db: Database,
  messages: (typeof webhookMessages.$inferSelect)[],
): Promise<WebhookMessage[]> {
  const ids = messages.map(({ id }) => id)
  // At most 100 messages a page, which is also D1's limit of bound parameters.
  const attempts = await db
    .select()
    .from(webhookAttempts)
    .where(inArray(webhookAttempts.messageId, ids))
    .orderBy(asc(webhookAttempts.sequence))
  const byMessage = Map.groupBy(attempts, ({ messageId }) => messageId)
  return messages.map(({ id, type, payload, createdAt, state, nextAt }) => ({
    id,
    type,
    payload: JSON.parse(payload),
    createdAt: isoTime(createdAt),
    state,
    nextAttemptAt: isoOrNull(nextAt),
    attempts: (byMessage.get(id) ?? []).map(({ at, durationMs, status, error }) => ({
      at: isoTime(at),
      durationMs,
      status,
      error,
    })),
  }))
}

/** Sends a message once more, whatever became of it, with a new round of attempts; its webhook is enabled for that. */
export async function replayMessage(
  db: Database,
  { id, message }: { id: string; message: string },
  identity: Identity,
  now: number,
): Promise<WebhookMessage> {
  await getWebhook(db, id, identity)
  const [rows] = await db.batch([
    db
      .update(webhookMessages)
      .set({ state: 'pending', tries: 0, nextAt: now })
      .where(and(eq(webhookMessages.id, message), eq(webhookMessages.webhookId, id)))
      .returning(),
    db
      .update(webhooks)
      .set({ failingSince: null, disabledAt: null, disabledReason: null })
      .where(inArray(webhooks.id, ofMessage(db, { id, message }))),
  ])
  if (rows.length === 0) throw new ApiError('not_found', `webhook "${id}" has no delivery "${message}"`)
  return (await withAttempts(db, rows))[0]!
}

const ofMessage = (db: Database, { id, message }: { id: string; message: string }) =>
  db
    .select({ id: webhookMessages.webhookId })
    .from(webhookMessages)
    .where(and(eq(webhookMessages.id, message), eq(webhookMessages.webhookId, id)))
