/** Class-conditional image generation: a diffusion model forgets a class. Its samples are judged by a classifier that the pipeline
 *  trains on all of D. */
import { z } from 'zod'
import { denoising, sampling } from '../parts/diffusion.ts'
import { EXPORTED } from '../parts/model-file.ts'
import { modelRef, trainingRecipe } from '../parts/recipe.ts'
import { defineTask } from '../parts/task-spec.ts'

/** Whose features fidelity is measured with: FID's Inception-v3, whose weights must be had, or the judge's own. */
const extractor = z.enum(['judge', 'inception-v3-pool3'])

const part = z.strictObject({
  denoising,
  sampling,
  judge: z.strictObject({
    // Its features name an extractor, which a file by any name could claim to be.
    model: modelRef.refine(({ id }) => id !== EXPORTED, 'expected an architecture of the release, not a file'),
    training: trainingRecipe,
    /** One judge serves all seeds, so that their figures have one measure. */
    seed: z.int().min(0),
  }),
  extractor,
})
export type Generation = z.infer<typeof part>

export const trainingPart = z.strictObject({ denoising })
export const samplePart = z.strictObject({ denoising, sampling })
/** The model of the stage is the judge's. */
export const evaluatePart = z.strictObject({ extractor })

/** The task's own part of a benchmark; null where the benchmark is of another task. */
export const generationOf = ({ task }: { task: { id: string } }): Generation | null =>
  task.id === 'generation' ? (task as unknown as Generation) : null

export const generation = defineTask({
  title: 'Image generation',
  engine: 3,
  part,
  requests: ['class'],
  stages: { train: trainingPart, unlearn: trainingPart, sample: samplePart, evaluate: evaluatePart },
  trainingPart: ({ denoising }) => ({ denoising }),
  async measure({ benchmark, part, seed, trainingSeed, weights }, add) {
    const { dataset, model, request, training } = benchmark
    const { denoising, sampling, judge, extractor } = part
    const task = 'generation'
    const samples = await add({
      kind: 'sample',
      ...{ task, dataset, model, seed: trainingSeed },
      part: { denoising, sampling },
      inputs: { weights },
    })
    const judging = await add({
      kind: 'train',
      ...{ task: 'classification', dataset, model: judge.model, seed: judge.seed },
      recipe: judge.training,
      without: null,
      part: {},
      inputs: {},
    })
    const common = { task, dataset, model: judge.model, request, holdOut: training.holdOut, seed }
    await add({ kind: 'evaluate', ...common, part: { extractor }, inputs: { samples, judge: judging } })
  },
  models: ({ judge }) => ({ 'task.judge.model': { task: 'classification', model: judge.model } }),
  answersOf(part, classes) {
    const { perClass, sampler, guidance } = samplePart.parse(part).sampling
    // Guidance asks with and without the class.
    return classes * perClass * sampler.steps * (guidance > 0 ? 2 : 1)
  },
  references: ['retain', 'all'],
  ordering: 'worst-place',
})
