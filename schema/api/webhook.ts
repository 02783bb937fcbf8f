/** Webhooks: where a submitter is told that runs and submissions ended, by the Standard Webhooks rules
 *  (https://www.standardwebhooks.com). */
import { z } from 'zod'

export const webhookEvents = ['run.done', 'run.failed', 'run.cancelled', 'submission.ended'] as const
export type WebhookEvent = (typeof webhookEvents)[number]

const events = z.array(z.enum(webhookEvents))

export const createWebhook = z.strictObject({
  /** https, to a public address. */
  url: z
    .string()
    .min(1)
    .max(2000)
    .meta({ format: 'uri', examples: ['https://example.org/hook'] }),
  /** Defaults to all of them. */
  events: events
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'expected different events')
    .meta({ uniqueItems: true })
    .default([...webhookEvents]),
})

export const webhook = z.strictObject({
  id: z.string(),
  url: z.string(),
  events,
  createdAt: z.string(),
  /** Since when no attempt succeeded; null while the last one did. */
  failingSince: z.string().nullable(),
  disabledAt: z.string().nullable(),
  /** Why nothing is sent any more; a replay enables the webhook again. */
  disabledReason: z.string().nullable(),
})
export type Webhook = z.infer<typeof webhook>

export const webhookList = z.strictObject({ webhooks: z.array(webhook) })

/** The secret that signs its messages is in this answer only. */
export const createdWebhook = webhook.extend({ secret: z.string() })

export const messageStates = ['pending', 'delivered', 'failed'] as const

export const webhookMessage = z.strictObject({
  /** The header `webhook-id` of every attempt: what a receiver tells repetitions by. */
  id: z.string(),
  type: z.enum(webhookEvents),
  payload: z.record(z.string(), z.unknown()),
  createdAt: z.string(),
  state: z.enum(messageStates),
  /** Null unless it is pending. */
  nextAttemptAt: z.string().nullable(),
  /** Oldest first. */
  attempts: z.array(
    z.strictObject({
      at: z.string(),
      durationMs: z.int(),
      /** Null where no answer came. */
      status: z.int().nullable(),
      /** Null where it was delivered. */
      error: z.string().nullable(),
    }),
  ),
})
export type WebhookMessage = z.infer<typeof webhookMessage>

/** Newest first. */
export const webhookMessageList = z.strictObject({
  deliveries: z.array(webhookMessage),
  next: z.string().nullable(),
})
