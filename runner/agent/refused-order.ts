/** That a server's orders or answers are none that this release can carry out, remembered in the home for an hour: until then a runner that is started again as it
 *  was ends before it asks for work, since each time that it did would cost a delivery of some job. Another release asks at once. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../store/write.ts'
import { jsonOrNull } from '../words/json.ts'
import { thisRelease } from './contract.ts'

const HOLDS_MS = 3_600_000

const refused = z.object({ server: z.string(), release: z.string(), at: z.number(), message: z.string() })

const pathIn = (home: string) => join(home, 'refused-order.json')

export const rememberRefused = (home: string, server: string, message: string): Promise<void> =>
  writeWhole(pathIn(home), JSON.stringify({ server, release: thisRelease, at: Date.now(), message }))

/** Why this release need not ask this server for work, and what to do; null where nothing is known against it. */
export async function refusedBefore(home: string, server: string): Promise<string | null> {
  const path = pathIn(home)
  const text = await readFile(path, 'utf8').catch(() => '')
  const { data } = refused.safeParse(jsonOrNull(text))
  const age = data ? Date.now() - data.at : Number.NaN
  if (data && data.release === thisRelease && data.server === server && age >= 0 && age < HOLDS_MS) {
    return `${data.message}; it is not asked for work again with this release (to do so all the same, remove ${path})`
  }
  await rm(path, { force: true }).catch(() => {})
  return null
}
