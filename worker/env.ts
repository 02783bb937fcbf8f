/** Bindings of the Worker, as wrangler.toml names them, and what middleware adds to a request. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Role } from '../schema/tables/tokens.ts'
import type { Database } from './database.ts'
import type { Live } from './durable/live.ts'

export interface Bindings {
  DB: D1Database
  STORE: R2Bucket
  ASSETS: Fetcher
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
  Variables: { requestId: string; db: Database; identity: Identity }
}

export type App = OpenAPIHono<AppEnv>
