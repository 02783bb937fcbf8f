/** Terms of a denoiser's loss, made ready for a run of steps: how the graph sees each, and what it is fed. What a step is fed
 *  follows from its number. */
import type { Diffusion } from '../../../../schema/parts/diffusion.ts'
import { drawKeys } from '../../../engine/nn/counter-random.ts'
import type { DenoiserNetwork } from '../../../engine/nn/denoiser-network.ts'
import { type Executor, residentImages } from '../../../engine/nn/executor.ts'
import { randomStream } from '../../../engine/nn/random.ts'
import { floats, int64s, type Tensor, tensor } from '../../../engine/onnx/tensor.ts'
import type { Split } from '../../../science/dataset.ts'
import type { Term } from '../../../science/tasks/generation.ts'
import { antitheticTimesteps, dropConditions, endlessOrder } from './draws.ts'
import { samplerOf } from './sampler.ts'
import type { TermShape } from './step-program.ts'

export interface TermContext {
  executor: Executor
  denoiser: DenoiserNetwork
  diffusion: Diffusion
  train: Split
  seed: number
  flip: boolean
}

export interface PreparedTerm {
  shape: TermShape
  /** Feeds that stay the same over the run. */
  feeds: Record<string, Tensor>
  /** Feeds of the steps from `first` on; `now` are the weights before them. */
  stepFeeds(first: number, steps: number, now: Map<string, Tensor>): Promise<Record<string, Tensor>>
  /** Steps that may share one call; latents that are sampled by the moving weights allow one. */
  atMost: number | undefined
}

/** Makes term `k` ready; `drawn` names what its draws are for. Throws when it has no images to draw from. */
export function prepareTerm(term: Term, k: number, drawn: string, context: TermContext): PreparedTerm {
  const { executor, denoiser, diffusion, train, seed, flip } = context
  const { classes, inputShape } = denoiser
  const { batchSize: batch, weight, reduction } = term
  const none = classes
  const source: TermShape['source'] =
    term.kind === 'noise'
      ? ({ dataset: 'dataset', generated: 'own', uniform: 'uniform' } as const)[term.images.kind]
      : term.kind === 'negative-guidance' && term.latents.kind === 'sampled'
        ? 'latents'
        : 'dataset'
  const own = term.kind === 'noise' && term.images.kind === 'generated' ? term.images.images : null
  const items =
    term.kind === 'noise'
      ? term.images.kind === 'dataset' && term.images.items
      : term.kind === 'other-class'
        ? term.items
        : term.latents.kind === 'noised' && term.latents.items
  const fixed =
    term.kind === 'noise' && term.images.kind === 'uniform'
      ? term.images.label
      : term.kind === 'negative-guidance' && term.latents.kind === 'sampled'
        ? term.latents.label
        : null
  const shape: TermShape = {
    source,
    ownImages: own ? own.labels.length : 0,
    batch,
    flip: flip && (source === 'dataset' || source === 'own'),
    target: ({ noise: 'noise', 'other-class': 'other-class', 'negative-guidance': 'frozen-negative' } as const)[
      term.kind
    ],
    strength: term.kind === 'negative-guidance' ? term.strength : 0,
    reduction,
    weight,
  }
  const population = own ? own.labels.length : items ? items.length : 0
  if ((own || items) && population === 0) throw new Error('a term of the loss has no images to draw from')
  const order = endlessOrder(seed, `${drawn}/${k}`, population)
  const sample =
    term.kind === 'negative-guidance' && term.latents.kind === 'sampled'
      ? samplerOf({
          executor,
          denoiser,
          diffusion,
          sampling: {
            sampler: { kind: 'ddim', steps: term.latents.steps, eta: 0 },
            guidance: term.latents.guidance,
            clip: false,
          },
          seed,
          purpose: `${drawn}/${k}/latents`,
        })
      : null

  async function stepFeeds(first: number, steps: number, now: Map<string, Tensor>): Promise<Record<string, Tensor>> {
    const columns: Record<'items' | 't' | 'labels' | 'others' | 'flips', number[]> = {
      items: [],
      t: [],
      labels: [],
      others: [],
      flips: [],
    }
    const keys: bigint[] = []
    const latents: Float32Array[] = []
    for (let step = first; step < first + steps; step++) {
      const random = randomStream(seed, `${drawn}/${k}/${step}`)
      const positions = Array.from({ length: batch }, (_, i) => (population > 0 ? order(step * batch + i) : 0))
      const chosen = positions.map((position) => (items ? items[position]! : position))
      const truth = chosen.map((item) => fixed ?? (own ? own.labels[item]! : train.labels[item]!))
      columns.items.push(...chosen)
      keys.push(...(drawKeys(random, [batch]).data as BigInt64Array))
      if (shape.flip) columns.flips.push(...chosen.map(() => random.integer(2)))
      const times = antitheticTimesteps(random, diffusion.timesteps, batch)
      columns.labels.push(...dropConditions(random, truth, term.dropCondition, none))
      if (term.kind === 'other-class') {
        const others = truth.map(
          (label) => (label + 1 + (term.other === 'next' ? 0 : random.integer(classes - 1))) % classes,
        )
        columns.others.push(...dropConditions(random, others, term.dropCondition, none))
      }
      if (sample && term.kind === 'negative-guidance' && term.latents.kind === 'sampled') {
        const until = 1 + random.integer(Math.max(1, term.latents.steps - 1))
        const { x, t } = await sample({ weights: now, labels: truth, first: step * batch, until })
        latents.push(x)
        times.fill(Math.max(0, t))
      }
      columns.t.push(...times)
    }
    const feeds: Record<string, Tensor> = {
      [`keys.${k}`]: tensor('int64', [steps, batch, 2], BigInt64Array.from(keys)),
    }
    for (const [name, column] of Object.entries(columns))
      feeds[`${name}.${k}`] = int64s([steps, batch], column.length > 0 ? column : Array(steps * batch).fill(0))
    if (latents.length > 0)
      feeds[`latents.${k}`] = floats([steps, batch, ...inputShape], Float32Array.from(latents.flatMap((x) => [...x])))
    return feeds
  }
  return {
    shape,
    feeds: own ? { [`images.${k}`]: residentImages(own.images, inputShape) } : {},
    stepFeeds,
    atMost: sample ? 1 : undefined,
  }
}
