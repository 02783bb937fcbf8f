/** Class-conditional image generation on the engine's side: trains denoisers, samples them, and has the samples judged. */

import type { Diffusion } from '../../../schema/parts/diffusion.ts'
import { generationOf, trainingPart } from '../../../schema/tasks/generation.ts'
import { loadInceptionWeights } from '../../data/files/inception.ts'
import { requirePictures } from '../../data/files/sharp.ts'
import type { DenoiserNetwork } from '../../engine/nn/denoiser-network.ts'
import * as denoisers from '../../engine/nn/denoisers/index.ts'
import { inceptionV3 } from '../../engine/nn/extractors/inception-v3.ts'
import { sizeOf } from '../../engine/onnx/tensor.ts'
import { asArrays, stored } from '../../engine/training/outcomes.ts'
import { rateAt } from '../../engine/training/schedules.ts'
import type { StageTrainer } from '../../engine/training/trainer.ts'
import { labelsFrom } from '../../formats/labels.ts'
import { CANONICAL_EXTRACTOR } from '../../science/tasks/generation/evidence/evidence.ts'
import { type DiffusionTypes, type DiffusionVerbs, fitImages } from '../../science/tasks/generation/vocabulary.ts'
import { defineRunnerTask, type VerbOptions } from '../../stages/task.ts'
import { denoiserFor } from './denoiser.ts'
import { samplerOf, toBytes } from './diffusion/sampler.ts'
import { measure } from './measure.ts'
import { diffusionObjective } from './objective.ts'
import { sample } from './sample.ts'

/** Batch in which a method's own images are sampled. */
const BATCH = 50

export const generation = defineRunnerTask<DiffusionTypes>({
  architectures: denoisers,
  requires: requirePictures,
  async prepare({ task, dataset }, { places, signal, note }) {
    if (generationOf({ task })?.extractor !== CANONICAL_EXTRACTOR) return
    note(`${dataset.id} is measured by Inception-v3: looking for its weights.`)
    await loadInceptionWeights(inceptionV3([3, 32, 32]), { ...places, signal })
  },
  model(spec, loaded) {
    const { diffusion, dropCondition, average } = trainingPart.parse(spec.part).denoising
    const { network: denoiser, conditions } = denoiserFor(spec.model, loaded)
    const { train } = loaded.dataset
    return {
      network: denoiser,
      objective: ({ seed, augment: flip, executor }) =>
        diffusionObjective({ denoiser, diffusion, train, seed, flip, executor }),
      verbs: (trainer, options) => verbsOf(trainer, { ...options, denoiser, diffusion, conditions }),
      // An epoch is as many steps as D has batches, also on D_r, so that original and retrain take the same number.
      async fit(trainer, { items, all, recipe }) {
        const { epochs, batchSize, learningRate, clipNorm, optimizer: spec } = recipe
        const perEpoch = Math.ceil(all / batchSize)
        const optimizer = trainer.fit({ spec, learningRate, clipNorm, average })
        await optimizer.steps([fitImages(items, { batchSize, dropCondition })], epochs * perEpoch, {
          rate: (step) => rateAt(recipe, step / perEpoch),
          phase: 'training',
          share: (done) => done,
        })
        return average === null ? null : optimizer.average()
      },
    }
  },
  sample,
  measure,
})

interface Verbs extends VerbOptions {
  denoiser: DenoiserNetwork
  diffusion: Diffusion
  conditions(parameter: string): boolean
}

export function verbsOf(
  { memory, executor }: Pick<StageTrainer<DiffusionTypes>, 'memory' | 'executor'>,
  { denoiser, diffusion, conditions, seed, purpose, onProgress }: Verbs,
): DiffusionVerbs {
  return {
    conditioning: ({ name }) => conditions(name),
    timesteps: diffusion.timesteps,
    async generate({ classes, perClass, guidance, steps, eta = 0 }) {
      const labels = classes.flatMap((label) => Array<number>(perClass).fill(label))
      const made = await memory.perform(asArrays<Uint8Array>('U8'), async (middle) => {
        const sampling = { sampler: { kind: 'ddim', steps, eta }, guidance, clip: false } as const
        const next = samplerOf({ executor, denoiser, diffusion, sampling, seed, purpose: `${purpose}/generate` })
        const size = sizeOf(denoiser.inputShape)
        const images = new Uint8Array(labels.length * size)
        images.set((middle?.partial.get('images')?.data as Uint8Array | undefined) ?? [])
        const total = labels.length
        for (let first = middle?.done ?? 0; first < total; ) {
          const part = labels.slice(first, first + BATCH)
          images.set(toBytes((await next({ weights: memory.state, labels: part, first })).x), first * size)
          first += part.length
          const done = first
          onProgress({ phase: 'generative replay', done, total, unit: 'images' })
          if (done === total) break
          await memory.keepMiddle(() => {
            const partial = new Map([['images', stored('U8', images.subarray(0, done * size))]])
            return { within: { done, sums: [] }, progress: done / total, partial }
          })
        }
        return new Map([['images', images]])
      })
      return { images: made.get('images')!, labels: labelsFrom(labels, denoiser.classes) }
    },
  }
}
