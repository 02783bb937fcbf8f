/** Work that is cut short again and again, and goes on from its checkpoint each time until it ends. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Checkpoint, checkpointOf, checkpointPosition } from '../../runner/store/checkpoint.ts'
import type { Progress } from '../../schema/result.ts'

/** What a trainer is opened with so that it can be cut. */
export interface Cutting {
  checkpoint?: Checkpoint
  signal: AbortSignal
  onProgress(progress: Progress): void
}

export const uncut = (): Cutting => ({ signal: new AbortController().signal, onProgress: () => {} })

interface CutOptions {
  /** Reports of progress in each attempt. */
  every: number
  /** A checkpoint is due at every so many chances. */
  chances?: number
}

/** An attempt that came no further than the one before gets one report more, since some verbs begin anew. Gives what the
 *  last attempt came to, and how many there were. Throws where the position of a checkpoint falls. */
export async function cutAndContinued<Result>(
  work: (cutting: Cutting) => Promise<Result>,
  { every, chances = 1 }: CutOptions,
): Promise<{ result: Result; attempts: number }> {
  const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  try {
    let position = -1
    let more = 0
    for (let attempts = 1; attempts <= 500; attempts++) {
      const stop = new AbortController()
      const kept = checkpointOf(home, 'half', { everyMs: 0 })
      let chance = 0
      let left = every + more
      const cutting: Cutting = {
        checkpoint: { ...kept, due: () => ++chance % chances === 0 },
        signal: stop.signal,
        onProgress: () => void (--left === 0 && stop.abort(new Error('cut'))),
      }
      try {
        return { result: await work(cutting), attempts }
      } catch (error) {
        if ((error as Error).message !== 'cut') throw error
      }
      const reached = (await checkpointPosition(home, 'half')) ?? -1
      if (reached < position) throw new Error(`the checkpoint fell from ${position} to ${reached}`)
      more = reached > position ? 0 : more + 1
      position = reached
    }
    throw new Error('work that is cut and continued comes to no end')
  } finally {
    await rm(home, { recursive: true })
  }
}
