/** Bindings of the Worker, as wrangler.toml names them, its settings, and what middleware adds to a request. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Role } from '../schema/tables/tokens.ts'
import type { Database } from './database.ts'
import type { Dispatcher } from './durable/dispatcher.ts'
import type { Live } from './durable/live.ts'

const milliseconds = (usual: number) => z.coerce.number().int().min(100).default(usual)

/** Variables of the Worker that may be set in wrangler.toml or with `--var`; runners are told all of them. */
const settings = z.object({
  /** A runner that was silent for longer loses its job. */
  LEASE_MS: milliseconds(90_000),
  RENEW_EVERY_MS: milliseconds(30_000),
  /** How long an idle runner waits before it asks again. */
  POLL_MS: milliseconds(5_000),
  CHECKPOINT_EVERY_MS: milliseconds(300_000),
})
export type Settings = z.infer<typeof settings>

export const settingsOf = (env: Bindings): Settings => settings.parse(env)

export interface Bindings extends Partial<Record<keyof Settings, string>> {
  DB: D1Database
  STORE: R2Bucket
  ASSETS: Fetcher
  DISPATCHER: DurableObjectNamespace<Dispatcher>
  LIVE: DurableObjectNamespace<Live>
  /** SHA-256 of a token that is accepted as admin: the way to the first token. `wrangler secret put ADMIN_TOKEN_SHA256`. */
  ADMIN_TOKEN_SHA256?: string
}

/** Who is asking, by their token. */
export interface Identity {
  tokenId: string
  name: string
  role: Role
}

export interface AppEnv {
  Bindings: Bindings
  Variables: { requestId: string; db: Database; identity: Identity; jobToken: string }
}

export type App = OpenAPIHono<AppEnv>
