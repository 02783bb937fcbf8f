/** Hands the Scorer an evaluation that has ended. */

import { databaseOf } from '../bindings/database.ts'
import type { Bindings } from '../bindings/env.ts'
import { isOfTwo } from '../queries/scores/score-pairs.ts'
import type { Scorer } from './scorer.ts'

/** Never a reason for a request to fail: what is left out here, re-scoring computes. */
export async function scoreBesideRetrain({ DB, SCORER }: Pick<Bindings, 'DB' | 'SCORER'>, key: string): Promise<void> {
  try {
    if (!(await isOfTwo(databaseOf(DB), key))) return
    await (SCORER as DurableObjectNamespace<Scorer>).getByName('all').take(key)
  } catch (error) {
    console.error('an evaluation was not compared with that of retrain', error)
  }
}
