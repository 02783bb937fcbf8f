/** D, D_f and D_r of a seed, as indices into the training set. One split seed serves training and unlearning alike. */

import type { ForgetRequest } from '../../schema/parts/recipe.ts'
import { randomStream } from '../engine/nn/random.ts'
import type { Labels } from '../formats/labels.ts'
import { checkRequest } from './check-classes.ts'
import { ConfigurationError } from './configuration-error.ts'

export interface DataSplit {
  /** The held-out share, in dataset order. */
  heldOut: Int32Array
  /** D: the training set without the held-out share, in dataset order. */
  all: Int32Array
  /** D_f and D_r, which together are D. */
  forget: Int32Array
  retain: Int32Array
}

/** Throws when the request leaves nothing to forget or nothing to retain. */
export function splitOf(
  labels: Labels,
  classes: readonly string[],
  options: { holdOut: number; request: ForgetRequest; seed: number },
): DataSplit {
  const { holdOut, request, seed } = options
  const out = new Uint8Array(labels.length)
  if (holdOut > 0) {
    const random = randomStream(seed, 'hold-out')
    for (const label of classes.keys()) {
      const members = Int32Array.from(labels.keys()).filter((item) => labels[item] === label)
      for (const item of random.shuffle(members).subarray(0, Math.round(holdOut * members.length))) out[item] = 1
    }
  }
  const heldOut = Int32Array.from(labels.keys()).filter((item) => out[item])
  const all = Int32Array.from(labels.keys()).filter((item) => !out[item])
  const chosen = new Uint8Array(labels.length)
  if (request.kind === 'class') {
    checkRequest(request, { classes })
    for (const item of all) if (labels[item] === request.label) chosen[item] = 1
  } else {
    const drawn = randomStream(seed, 'split')
      .shuffle(all)
      .subarray(0, Math.floor(request.fraction * all.length))
    for (const item of drawn) chosen[item] = 1
  }
  const forget = all.filter((item) => chosen[item])
  const retain = all.filter((item) => !chosen[item])
  if (forget.length === 0 || retain.length === 0) {
    throw new ConfigurationError(
      `the request splits ${all.length} images into ${forget.length} to forget and ${retain.length} to retain; both must have some`,
    )
  }
  return { heldOut, all, forget, retain }
}
