/** The worker as `palimpsest serve` runs it, supervised behind its door, in this process; and what can be done to it. */
import { createHash, randomBytes } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverSecrets } from '../../runner/server/secrets.ts'
import { startServer } from '../../runner/server/start.ts'
import { temporaryFolder } from './cli.ts'
import { childrenOf } from './processes.ts'

/** `workerd` alone, whose wrangler may stay; or wrangler with all that it started. */
export type Victim = 'workerd' | 'wrangler'

export interface Served {
  url: string
  adminToken: string
  /** Kills it, and waits until the server answers again by itself: how long that took, by this machine's clock. */
  strike(victim: Victim): Promise<{ from: number; to: number }>
  stop(): Promise<void>
}

/** `vars` are variables of the Worker. */
export async function startServed(vars: Record<string, string> = {}): Promise<Served> {
  const home = await temporaryFolder()
  const adminToken = `pal_admin_${randomBytes(16).toString('hex')}`
  const secrets = await serverSecrets(home)
  for (const [name, value] of Object.entries(vars)) await appendFile(secrets, `${name}='${value}'\n`)
  const adminTokenSha256 = createHash('sha256').update(adminToken).digest('hex')
  const { url, stop } = await startServer({ home, port: 0, adminTokenSha256, secrets })
  const answers = () =>
    fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    )
  return {
    url,
    adminToken,
    stop,
    async strike(victim) {
      const from = Date.now()
      const workers = await workersOf(process.pid)
      if (workers.length === 0) throw new Error('there is no workerd to kill')
      for (const { workerd, wrangler } of workers) {
        if (victim === 'workerd') process.kill(workerd, 'SIGKILL')
        else process.kill(-wrangler, 'SIGKILL')
      }
      await gone(answers)
      for (let waited = 0; !(await answers()); waited += 500) {
        if (waited > 120_000) throw new Error(`the server did not come back after its ${victim} was killed`)
        await sleep(500)
      }
      return { from, to: Date.now() }
    },
  }
}

async function gone(answers: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; (await answers()) && waited < 5_000; waited += 100) await sleep(100)
}

/** Runners have no processes of their own here, so whatever a child of this process started is a workerd. */
async function workersOf(pid: number): Promise<{ workerd: number; wrangler: number }[]> {
  const children = await childrenOf(pid)
  const found = await Promise.all(
    children.map(async (wrangler) => (await childrenOf(wrangler)).map((workerd) => ({ workerd, wrangler }))),
  )
  return found.flat()
}
