/** What stages of this store went on from: checkpoints that other deliveries had left. One file a computation in the store's home,
 *  kept as long as its result may be handed in, since what this runner signs says so. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Beginning, began } from '../../schema/protocol/checkpoint.ts'
import { writeWhole } from '../store/write.ts'

const fileOf = (home: string, computation: string) => join(home, 'began', `${computation}.json`)

/** Empty for a stage that this store computed from its beginning. Throws for a file that says something else. */
export async function beganFrom(home: string, computation: string): Promise<Beginning[]> {
  const path = fileOf(home, computation)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return []
  try {
    return began.parse(JSON.parse(text))
  } catch {
    throw new Error(
      `${path} does not say what the stage went on from; remove it together with ${computation} in stages/`,
    )
  }
}

export const rememberBegan = (home: string, computation: string, all: Beginning[]): Promise<void> =>
  writeWhole(fileOf(home, computation), JSON.stringify(all))

/** The stage begins anew. */
export const forgetBegan = (home: string, computation: string): Promise<void> =>
  rm(fileOf(home, computation), { force: true })
