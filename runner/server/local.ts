/** A server of this machine's own: one a home folder, with its tokens. */
import { type Api, apiOf } from '../agent/api.ts'
import { createClient } from '../agent/client.ts'
import { lockHome } from '../home.ts'
import { startServer } from './start.ts'
import { adminTokenOf, ensureTokens, type Tokens } from './tokens.ts'

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
}

export async function startLocalServer({ home, port, signal }: LocalServerOptions): Promise<LocalServer> {
  const release = await lockHome(home)
  try {
    const admin = await adminTokenOf(home)
    const server = await startServer({ home, port, adminTokenSha256: admin.sha256, signal })
    const { url, log, ended } = server
    const stop = async () => {
      await server.stop()
      await release()
    }
    try {
      const tokens = await ensureTokens(home, apiOf(createClient({ server: url, token: admin.secret })))
      const api = apiOf(createClient({ server: url, token: tokens.submitter }))
      return { url, log, tokens, api, ended, stop }
    } catch (error) {
      await server.stop()
      throw error
    }
  } catch (error) {
    await release()
    throw error
  }
}
