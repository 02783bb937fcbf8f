/** What a server needs now and then: retention, which runs by a schedule in the cloud and must not wait for one here, and logs that do
 *  not grow without end. */
import { appendFile, chmod, copyFile, stat, truncate } from 'node:fs/promises'
import type { Api } from '../agent/api.ts'
import { OWNER_ONLY } from '../store/secrets.ts'
import { reasonOf } from '../store/write.ts'

export interface UpkeepTimes {
  /** Not at once: who starts a server wants an answer first. */
  retentionAfterMs: number
  retentionEveryMs: number
  logsEveryMs: number
}

const DAY_MS = 86_400_000
const usual: UpkeepTimes = { retentionAfterMs: 300_000, retentionEveryMs: DAY_MS, logsEveryMs: 15_000 }
/** A log that is longer is kept beside the new one, in the place of the one before. */
export const MOST_LOG_BYTES = 8 * 1024 ** 2
/** What is left for later is taken up at once, so often. */
const MAX_ROUNDS = 100

interface Upkeep {
  logs: string[]
  /** Removes what nothing needs any more; as an admin. */
  retain: Api['applyRetention']
  times?: Partial<UpkeepTimes> | undefined
}

/** Goes on until it is stopped; what fails is written in the first log and tried again in its time. */
export function startUpkeep({ logs, retain, times }: Upkeep): () => void {
  const { retentionAfterMs, retentionEveryMs, logsEveryMs } = { ...usual, ...times }
  const say = (line: string) => appendFile(logs[0]!, `${line}\n`).catch(() => {})
  const retention = async () => {
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const { totals, more } = await retain()
        await say(`retention ${JSON.stringify(totals)}`)
        if (!more) return
      }
    } catch (error) {
      await say(`retention failed and is tried again later: ${(error as Error).message}`)
    }
  }
  const timers = [
    setTimeout(() => {
      void retention()
      timers.push(setInterval(() => void retention(), retentionEveryMs).unref())
    }, retentionAfterMs).unref(),
    setInterval(() => {
      for (const log of logs) void boundLog(log).catch((error) => say(`${log}: ${reasonOf(error)}`))
    }, logsEveryMs).unref(),
  ]
  return () => {
    for (const timer of timers) clearTimeout(timer)
  }
}

/** Begins a log anew that has become long; whoever writes it has opened it for appending. */
export async function boundLog(path: string, most = MOST_LOG_BYTES): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: 0 }))
  if (size <= most) return
  await copyFile(path, `${path}.1`)
  await chmod(`${path}.1`, OWNER_ONLY)
  await truncate(path, 0)
}
