/** Bindings of the Worker, as wrangler.toml names them, its settings, and what middleware adds to a request. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import type { RunnerRow } from '../../schema/tables/runners.ts'
import type { Role } from '../../schema/tables/tokens.ts'
import type { Database } from './database.ts'

const atLeastOne = (usual: number) => z.coerce.number().int().min(1).default(usual)
const milliseconds = (usual: number) => z.coerce.number().int().min(100).default(usual)

/** Variables of the Worker that may be set in wrangler.toml or with `--var`. Runners are told those of leases. */
const settings = z.object({
  /** A runner that was silent for longer loses its job. */
  LEASE_MS: milliseconds(90_000),
  RENEW_EVERY_MS: milliseconds(30_000),
  /** How long an idle runner waits before it asks again. */
  POLL_MS: milliseconds(5_000),
  /** How often one asks all the same while it holds a socket. */
  IDLE_POLL_MS: milliseconds(60_000),
  /** Work that waits for longer after it woke some idle runners wakes others. */
  WAKE_MORE_MS: milliseconds(1_000),
  CHECKPOINT_EVERY_MS: milliseconds(300_000),
  /** Runs that are not over, of one author and of all. */
  MAX_RUNS_PER_USER: atLeastOne(1000),
  MAX_RUNS: atLeastOne(5000),
  /** Pauses before the second and later attempts to deliver a webhook, as the Standard Webhooks rules recommend: 5 s, 5 min, 30
   *  min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. */
  WEBHOOK_RETRIES_MS: z
    .string()
    .regex(/^\d+(,\d+)*$/)
    .default('5000,300000,1800000,7200000,18000000,36000000,50400000,72000000,86400000')
    .transform((list) => list.split(',').map(Number)),
  /** Of the stages that end, the share that another runner computes once more, to be compared. */
  REPEAT_SHARE: z.coerce.number().min(0).max(1).default(0.05),
  /** What one stage may take. */
  STAGE_TIMEOUT_MS: milliseconds(24 * 3_600_000),
})
export type Settings = z.infer<typeof settings>

export const settingsOf = (env: Bindings): Settings => settings.parse(env)

export interface Bindings extends Partial<Record<keyof Settings, string>> {
  DB: D1Database
  STORE: R2Bucket
  ASSETS: Fetcher
  CREATIONS: RateLimit
  READS: RateLimit
  /** Which deployment this is; boards that another one computed are computed anew. */
  RELEASE?: WorkerVersionMetadata
  /** Each is one object, named `all`; the file of its name beside this one speaks to it. */
  COURIER: DurableObjectNamespace
  DISPATCHER: DurableObjectNamespace
  LIVE: DurableObjectNamespace
  SCORER: DurableObjectNamespace
  /** SHA-256 of a token that is accepted as admin: the way to the first token. `wrangler secret put ADMIN_TOKEN_SHA256`. */
  ADMIN_TOKEN_SHA256?: string
  /** The server's Ed25519 private key as JWK. `wrangler secret put SIGNING_KEY`. */
  SIGNING_KEY?: string
  /** `1` lets webhooks go to loopback addresses, also without https: for development. */
  ALLOW_LOCAL_WEBHOOKS?: string
  /** On a machine of one's own: sends webhooks on to public addresses only, whatever their names resolve to. */
  WEBHOOK_RELAY?: string
}

/** Who is asking, by their token. */
export interface Identity {
  tokenId: string
  name: string
  role: Role
}

/** Who looks; null for one who does not say. */
export type Viewer = Identity | null

export interface AppEnv {
  Bindings: Bindings
  Variables: { requestId: string; db: Database; identity: Identity; runner: RunnerRow; jobToken: string }
}

/** Where computed things are kept, and which release computes them. */
export interface Keeping {
  db: Database
  release: string
}

/** Of a request. */
export const keepingOf = ({ env, var: { db } }: { env: Bindings; var: { db: Database } }): Keeping => ({
  db,
  release: env.RELEASE?.id ?? 'unnamed',
})

export type App = OpenAPIHono<AppEnv>
