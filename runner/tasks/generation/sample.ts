/** The sample stage: images of every class from a denoiser, as bytes, and a picture of the first of each. */

import { z } from 'zod'
import type { StageOf } from '../../../schema/stage.ts'
import { samplePart } from '../../../schema/tasks/generation.ts'
import { requirePictures } from '../../data/files/sharp.ts'
import { createExecutor } from '../../engine/nn/executor.ts'
import { sizeOf } from '../../engine/onnx/tensor.ts'
import { type Labels, labelsFrom, labelsIn, labelTensor } from '../../formats/labels.ts'
import { readSafetensors, SafetensorsError, writeSafetensors } from '../../formats/safetensors.ts'
import { SAMPLES } from '../../science/tasks/generation/evidence/asked.ts'
import { AVERAGE, WEIGHTS } from '../../science/weights.ts'
import { startClock } from '../../stages/clock.ts'
import type { StageContext, StageOutcome } from '../../stages/stage.ts'
import { loadWeights } from '../../stages/weights.ts'
import { denoiserFor } from './denoiser.ts'
import { samplerOf, toBytes } from './diffusion/sampler.ts'
import { sampleGrid } from './sample-grid.ts'

export const GRID = 'samples.png'

/** Images that go through the denoiser together; with guidance each goes twice. */
const BATCH = 50

export async function sample(spec: StageOf<'sample'>, context: StageContext): Promise<StageOutcome> {
  const { store, threads, provider, signal, log, onProgress, checkpoint } = context
  requirePictures()
  const total = startClock()
  const { seed } = spec
  const { denoising, sampling } = samplePart.parse(spec.part)
  const loaded = await context.data(spec.dataset, { signal, onProgress })
  const { classes } = loaded.dataset
  const { network: denoiser } = denoiserFor(spec.model, loaded)
  const inputs = await context.inputs(spec.inputs.weights!)
  const file = AVERAGE in inputs ? AVERAGE : WEIGHTS
  const weights = await loadWeights(store, denoiser, inputs, { file })
  const labels = Array.from({ length: sampling.perClass * classes.length }, (_, i) => i % classes.length)
  log(
    `sampling ${labels.length} images from ${file} by ${sampling.sampler.kind}, ${sampling.sampler.steps} steps, guidance ${sampling.guidance}, seed ${seed}`,
  )
  const size = sizeOf(denoiser.inputShape)
  const images = new Uint8Array(labels.length * size)
  const executor = createExecutor({ threads, provider, signal })
  const saved = await checkpoint?.load()
  const known = saved?.tensors.get('images')
  const halfway = saved && halfDone.safeParse(saved.metadata).data
  let done = 0
  let before = 0
  if (halfway && known?.dtype === 'U8' && known.data.length === halfway.done * size) {
    images.set(known.data)
    done = halfway.done
    before = halfway.seconds
    log(`going on after ${done} images`)
  }
  try {
    const next = samplerOf({ executor, denoiser, diffusion: denoising.diffusion, sampling, seed, purpose: 'sample' })
    const prepared = total()
    const spent = () => before + total() - prepared - executor.compileSeconds()
    while (done < labels.length) {
      const part = labels.slice(done, done + BATCH)
      const { x } = await next({ weights, labels: part, first: done })
      images.set(toBytes(x), done * size)
      done += part.length
      onProgress({ phase: 'sampling', done, total: labels.length, unit: 'images', share: done / labels.length })
      if (checkpoint?.due() && done < labels.length) {
        await checkpoint.save({
          position: done,
          tensors: new Map([['images', { dtype: 'U8', shape: [done * size], data: images.subarray(0, done * size) }]]),
          metadata: { done: `${done}`, seconds: `${spent()}` },
        })
      }
    }
    const seconds = { setUp: prepared + executor.compileSeconds(), sample: Math.max(0, spent()) }
    const asked = labelsFrom(labels, classes.length)
    const bytes = encodeSamples({ images, labels: asked }, denoiser.inputShape, classes.length)
    const grid = await sampleGrid({
      shape: denoiser.inputShape as [number, number, number],
      images,
      labels: asked,
      classes: classes.length,
      columns: Math.min(10, sampling.perClass),
    })
    const artifacts = { [SAMPLES]: await store.put(bytes), [GRID]: await store.put(grid) }
    return { artifacts, seconds }
  } finally {
    await executor.release()
  }
}

/** Of a checkpoint: how many images there are, and what they took. */
const halfDone = z.object({ done: z.coerce.number().int().min(0), seconds: z.coerce.number().min(0) })

export interface Samples {
  images: Uint8Array
  /** The class that each image was asked for. */
  labels: Labels
}

/** Samples as safetensors: `samples` [n, c, h, w] and `labels` [n]. */
export const encodeSamples = (
  { images, labels }: Samples,
  shape: readonly number[],
  classes: number,
): Uint8Array<ArrayBuffer> =>
  writeSafetensors(
    new Map([
      ['samples', { dtype: 'U8', shape: [labels.length, ...shape], data: images }],
      ['labels', labelTensor(labels, classes)],
    ]),
  )

export function decodeSamples(bytes: Uint8Array): Samples {
  const { tensors } = readSafetensors(bytes)
  const [samples, labels] = [tensors.get('samples'), tensors.get('labels')]
  const whole = labels?.dtype === 'U8' || labels?.dtype === 'I32'
  if (samples?.dtype !== 'U8' || !whole || samples.shape[0] !== labels.data.length)
    throw new SafetensorsError(`${SAMPLES}: expected samples [n, c, h, w] of U8 and labels [n] of U8 or I32`)
  const fail = (expected: string, label: number | bigint): never => {
    throw new SafetensorsError(`${SAMPLES}: expected labels ${expected}, got ${label}`)
  }
  return { images: samples.data, labels: labelsIn(labels.data, fail) }
}
