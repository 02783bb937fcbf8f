/** D, D_f and D_r of a seed, as indices into the training set. One split seed serves training and unlearning alike, and what is drawn
 *  later depends on these indices and the stage's seed, never on how they were asked for. */
import type { ForgetRequest } from '../../schema/parts/recipe.ts'
import { drawnOf, forgottenClasses } from '../../schema/parts/request.ts'
import { findIndexList } from '../data/files/index-list.ts'
import { randomStream } from '../engine/nn/random.ts'
import type { Labels } from '../formats/labels.ts'
import { checkRequest } from './check-classes.ts'
import { ConfigurationError } from './configuration-error.ts'
import type { LoadedData } from './data.ts'
import type { StageContext } from './stage.ts'

export interface DataSplit {
  /** The held-out share, in dataset order. */
  heldOut: Int32Array
  /** D: the training set without the held-out share, in dataset order. */
  all: Int32Array
  /** D_f and D_r, which together are D. */
  forget: Int32Array
  retain: Int32Array
}

interface Options {
  holdOut: number
  request: ForgetRequest
  seed: number
  /** The positions of a request that is a list. */
  list?: Int32Array | undefined
}

/** What a stage says of its split. */
interface SplitSpec extends Omit<Options, 'list'> {
  splitSeed?: number | undefined
}

/** The seed that a stage's split is drawn by. */
export const splitSeedOf = ({ seed, splitSeed = seed }: Pick<SplitSpec, 'seed' | 'splitSeed'>): number => splitSeed

/** `, split 0` where it is drawn by another seed than the stage's. */
export const splitWords = ({ splitSeed }: Pick<SplitSpec, 'splitSeed'>): string =>
  splitSeed === undefined ? '' : `, split ${splitSeed}`

/** The split of a stage on its data. Throws DatasetError for a list that isn't in the user's folders. */
export async function splitFor(
  { holdOut, request, ...seeds }: SplitSpec,
  { dataset: { train, classes } }: LoadedData,
  context: Pick<StageContext, 'places'>,
): Promise<DataSplit> {
  const list = await listOf(request, context)
  return splitOf(train.labels, classes, { holdOut, request, seed: splitSeedOf(seeds), list })
}

/** The positions that a request names; undefined for one that is no list. */
export async function listOf(
  request: ForgetRequest,
  { places }: Pick<StageContext, 'places'>,
): Promise<Int32Array | undefined> {
  return request.kind === 'items' ? await findIndexList(request, places ?? { directories: [] }) : undefined
}

/** Throws when the request leaves nothing to forget or nothing to retain, or asks for what is not there. */
export function splitOf(labels: Labels, classes: readonly string[], options: Options): DataSplit {
  const out = heldOutOf(labels, classes, options)
  const heldOut = Int32Array.from(labels.keys()).filter((item) => out[item])
  const all = Int32Array.from(labels.keys()).filter((item) => !out[item])
  const chosen = new Uint8Array(labels.length)
  checkRequest(options.request, { classes })
  for (const item of chosenOf(labels, { ...options, all, heldOut: out })) chosen[item] = 1
  const forget = all.filter((item) => chosen[item])
  const retain = all.filter((item) => !chosen[item])
  if (forget.length === 0 || retain.length === 0) {
    throw new ConfigurationError(
      `the request splits ${all.length} images into ${forget.length} to forget and ${retain.length} to retain; both must have some`,
    )
  }
  return { heldOut, all, forget, retain }
}

/** 1 for every item that is held out. */
function heldOutOf(labels: Labels, classes: readonly string[], { holdOut, seed }: Options): Uint8Array {
  const heldOut = new Uint8Array(labels.length)
  if (holdOut === 0) return heldOut
  const random = randomStream(seed, 'hold-out')
  for (const label of classes.keys()) {
    const members = Int32Array.from(labels.keys()).filter((item) => labels[item] === label)
    for (const item of random.shuffle(members).subarray(0, Math.round(holdOut * members.length))) heldOut[item] = 1
  }
  return heldOut
}

function chosenOf(
  labels: Labels,
  { request, seed, list, all, heldOut }: Options & { all: Int32Array; heldOut: Uint8Array },
): Int32Array {
  const draw = (from: Int32Array, asked: { fraction?: number | undefined; count?: number | undefined }) => {
    const most = drawnOf(asked, from.length)
    if (most > from.length)
      throw new ConfigurationError(`the request forgets ${most} images, and there are ${from.length} to draw them from`)
    return randomStream(seed, 'split').shuffle(from).subarray(0, most)
  }
  switch (request.kind) {
    case 'random':
      return draw(all, request)
    case 'part': {
      const { label } = request
      return draw(
        all.filter((item) => labels[item] === label),
        request,
      )
    }
    case 'items':
      return checkedList(list, { images: labels.length, heldOut, seed })
    default: {
      const gone = forgottenClasses(request)
      return all.filter((item) => gone.includes(labels[item]!))
    }
  }
}

/** Of positions in an error. */
const NAMED = 5

function checkedList(
  list: Int32Array | undefined,
  { images, heldOut, seed }: { images: number; heldOut: Uint8Array; seed: number },
): Int32Array {
  if (!list) throw new Error('the positions of the list are not known to this stage')
  const beyond = list.filter((item) => item >= images)
  if (beyond.length > 0) {
    throw new ConfigurationError(
      `the request names ${shown(beyond)}, but the training set has the positions 0 to ${images - 1}; the list is of another dataset, or counts from 1`,
    )
  }
  const away = list.filter((item) => heldOut[item])
  if (away.length === 0) return list
  throw new ConfigurationError(
    `the request names ${shown(away)}, which training.holdOut keeps out of D for seed ${seed}; take ${away.length === 1 ? 'it' : 'them'} out of the list, choose another seed, or hold nothing out`,
  )
}

const shown = (items: Int32Array): string =>
  `${items.length === 1 ? 'the position' : `${items.length} positions, such as`} ${[...items.subarray(0, NAMED)].join(', ')}`
