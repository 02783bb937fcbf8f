/** A server as someone with a token speaks to it. */
import { type Api, apiOf } from '../../agent/api.ts'
import { createClient } from '../../agent/client.ts'
import { tokenFor } from '../../server/tokens.ts'
import { homeOf } from '../../store/home.ts'
import { serverOf } from './command.ts'

/** What such commands are given beside their own words. */
export interface Access {
  server?: string
  tokenFile?: string
  home?: string
}

/** Throws UsageError where there is no token of that role. */
export async function apiAs(role: Parameters<typeof tokenFor>[0], { server, tokenFile, home }: Access): Promise<Api> {
  const token = await tokenFor(role, { tokenFile, home: homeOf(home) })
  return apiOf(createClient({ server: serverOf(server), token, retryForMs: 10_000 }))
}
