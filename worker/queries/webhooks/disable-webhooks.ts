/** Disabling webhooks: what waits to be sent to them has failed. A replay enables one again. */
import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import { webhookMessages } from '../../../schema/tables/webhook-messages.ts'
import { webhooks } from '../../../schema/tables/webhooks.ts'
import type { Database } from '../../bindings/database.ts'

/** Two statements for a batch. */
export function disableWebhooks(
  db: Database,
  where: SQL | undefined,
  { reason, now }: { reason: string; now: number },
) {
  const enabled = and(where, isNull(webhooks.disabledAt))
  return [
    db
      .update(webhookMessages)
      .set({ state: 'failed', nextAt: null })
      .where(
        and(
          eq(webhookMessages.state, 'pending'),
          inArray(webhookMessages.webhookId, db.select({ id: webhooks.id }).from(webhooks).where(enabled)),
        ),
      ),
    db
      .update(webhooks)
      .set({ disabledReason: sql`${reason}`, disabledAt: now })
      .where(enabled),
  ] as const
}
