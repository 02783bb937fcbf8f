/** A server of this machine's own: one a home folder, with its tokens, and the home enrolled as its runner. */
import { type Api, apiOf } from '../agent/api.ts'
import { type Client, createClient } from '../agent/client.ts'
import { enrol, identityFor } from '../agent/identity.ts'
import { UsageError } from '../words/usage.ts'
import { lockHome } from './home-lock.ts'
import { serverSecrets } from './secrets.ts'
import { logsOf, startServer } from './start.ts'
import { adminTokenOf, ensureTokens, type Tokens } from './tokens.ts'
import { requireHandles, troubleInLog } from './trouble.ts'
import { startUpkeep, type UpkeepTimes } from './upkeep.ts'

export interface LocalServer {
  url: string
  /** Where the worker's output goes. */
  log: string
  tokens: Tokens
  /** Asks as submitter. */
  api: Api
  ended: Promise<void>
  stop(): Promise<void>
}

export interface LocalServerOptions {
  home: string
  port: number
  signal?: AbortSignal | undefined
  times?: Partial<UpkeepTimes>
}

export async function startLocalServer({ home, port, signal, times }: LocalServerOptions): Promise<LocalServer> {
  requireHandles()
  const release = await lockHome(home)
  try {
    const admin = await adminTokenOf(home)
    const secrets = await serverSecrets(home)
    const server = await startServer({ home, port, adminTokenSha256: admin.sha256, secrets, signal })
    const { url, log, ended } = server
    const asAdmin = createClient({ server: url, token: admin.secret })
    const endUpkeep = startUpkeep({ logs: logsOf(home), retain: apiOf(asAdmin).applyRetention, times })
    const stop = async () => {
      endUpkeep()
      await server.stop()
      await release()
    }
    try {
      const tokens = await ensureTokens(home, apiOf(asAdmin))
      await ensureIdentity(home, asAdmin)
      const api = apiOf(createClient({ server: url, token: tokens.submitter }))
      return { url, log, tokens, api, ended, stop }
    } catch (error) {
      endUpkeep()
      await server.stop()
      const trouble = signal?.aborted ? null : await troubleInLog(log, home)
      throw trouble ? new UsageError(trouble) : error
    }
  } catch (error) {
    await release()
    throw error
  }
}

/** Enrols the home as the server's runner, unless the server knows it already. */
async function ensureIdentity(home: string, asAdmin: Client): Promise<void> {
  const api = apiOf(asAdmin)
  const identity = await identityFor(home, asAdmin)
  const known = (await api.runners()).find(({ id, state }) => id === identity?.id && state !== 'revoked')
  if (known) return
  const { secret } = await api.createEnrolment({ expiresInSeconds: 60 })
  await enrol({ home, client: createClient({ server: asAdmin.server }) }, { secret, name: 'local' })
}
