/** Methods of image generation on a network of 212 parameters, with all that their steps drew: PyTorch goes over the same draws
 *  (test/golden/methods/make_generation.py). */
import { denoiserNetworkOf } from '../../runner/engine/nn/denoiser-network.ts'
import { ddpmUnet } from '../../runner/engine/nn/denoisers/ddpm-unet.ts'
import { linear, normalInit, swish, timeEmbedding } from '../../runner/engine/nn/layers.ts'
import { randomStream } from '../../runner/engine/nn/random.ts'
import { floats, numbersOf, sizeOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import type { Drawn, Objective } from '../../runner/engine/training/objective.ts'
import { createTrainer, type StageTrainer } from '../../runner/engine/training/trainer.ts'
import type { MethodDefinition, OptimizerOptions, Trainer } from '../../runner/science/method.ts'
import * as methods from '../../runner/science/methods/index.ts'
import type { DiffusionTypes } from '../../runner/science/tasks/generation/vocabulary.ts'
import { flatten } from '../../runner/science/weights.ts'
import { diffusionObjective } from '../../runner/tasks/generation/objective.ts'
import { verbsOf } from '../../runner/tasks/generation/task.ts'
import { diffusion as diffusionShape } from '../../schema/parts/diffusion.ts'
import { uniforms } from '../onnxruntime/uniform.ts'
import { range } from './toy.ts'

// As in make_generation.py.
const [IMAGES, FIRST_TENSOR, UNIFORM] = [601, 610, 620]
const [COUNT, CLASSES, SIDE, HIDDEN] = [20, 3, 4, 4]
const SIZE = SIDE * SIDE

const images = Uint8Array.from(uniforms(IMAGES, COUNT * SIZE, 0, 256))
const labels = Uint8Array.from({ length: COUNT }, (_, i) => (i < 8 ? 0 : 1 + (i % 2)))
const [forget, retain] = [range(0, 8), range(8, COUNT)]
const diffusion = diffusionShape.parse({ timesteps: 8, schedule: { kind: 'linear', first: 0.02, last: 0.4 } })

const network = denoiserNetworkOf([1, SIDE, SIDE], CLASSES, (scope, { x, t, labels }) => {
  const { ops } = scope
  const pixels = linear(scope, 'in', ops.Reshape(x, [x.shape[0]!, SIZE]), HIDDEN)
  const time = linear(scope, 'time', timeEmbedding(scope, t, 4), HIDDEN)
  const table = scope.parameter('class.table', [CLASSES + 1, HIDDEN], normalInit)
  const kind = ops.MatMul(ops.OneHot(labels, CLASSES + 1), table)
  const hidden = swish(scope, ops.Add(pixels, ops.Mul(time, kind)))
  return ops.Reshape(linear(scope, 'out', hidden, SIZE), x.shape)
})
export const goldenParameters = network.parameters

const original = new Map(
  network.parameters.map(({ name, shape }, i): [string, Tensor] => [
    name,
    floats(shape, uniforms(FIRST_TENSOR + i, sizeOf(shape), -0.6, 0.6)),
  ]),
)
export const goldenStart = network.parameters.flatMap(({ name }) => numbersOf(original.get(name)!))

/** What one term drew for one step: keys of noise, and what stands in the place of an image. */
export interface Draw {
  t: number[]
  labels: number[]
  others?: number[]
  keys: number[]
  bytes?: number[]
  latents?: number[]
}

export interface Followed {
  /** By verb: each run of an optimizer and each importance, then by term, then by step. */
  draws: Draw[][][]
  /** Loss and weights after each run of an optimizer. */
  trace: { loss: number; state: number[] }[]
  importances: number[][]
  /** What the method gave. */
  final: number[]
}

/** Runs a method from its beginning to its end. */
export async function followGeneration(id: string, params: Record<string, unknown>): Promise<Followed> {
  const { on } = (methods as Record<string, MethodDefinition>)[id]!
  const { params: schema, run } = on.generation!
  const draws: Draw[][][] = []
  const plain = diffusionObjective({
    denoiser: network,
    diffusion,
    train: { images, labels, count: COUNT },
    seed: 0,
    flip: false,
    executor: () => trainer.executor,
  })
  const objective: Objective<DiffusionTypes> = {
    ...plain,
    draw(on, drawing) {
      const drawn = plain.draw(on, drawing)
      const steps: Draw[] = []
      if (drawing.k === 0) draws.push([])
      draws.at(-1)!.push(steps)
      return recorded(drawn, drawing.k, steps)
    },
  }
  const [seed, purpose, onProgress] = [0, 'test', () => {}]
  const trainer: StageTrainer<DiffusionTypes> = createTrainer({
    ...{ objective, state: original, seed, purpose, onProgress, threads: 1 },
    signal: new AbortController().signal,
  })
  const verbs = verbsOf(trainer, {
    ...{ denoiser: network, diffusion, conditions: ddpmUnet.conditions, seed, purpose, onProgress },
  })
  const trace: Followed['trace'] = []
  const importances: number[][] = []
  const state = () => network.parameters.flatMap(({ name }) => numbersOf(trainer.state().get(name)!))
  const watched: Trainer<DiffusionTypes> = {
    ...trainer,
    adam(options: OptimizerOptions) {
      const optimizer = trainer.adam(options)
      return {
        ...optimizer,
        async descend(terms, span) {
          const loss = await optimizer.descend(terms, span)
          trace.push({ loss, state: state() })
          return loss
        },
      }
    },
    async importance(...asked) {
      const found = await trainer.importance(...asked)
      importances.push([...flatten(found)])
      return found
    },
  }
  const fresh = uniforms(UNIFORM, 4096)
  let taken = 0
  const random = { ...randomStream(0, 'test'), uniform: () => fresh[taken++]! }
  const task = { forget, retain, forgotten: [0], labels, classes: CLASSES, random, verbs }
  await run({ params: schema.parse(params), trainer: watched, ...task })
  await trainer.release()
  return { draws, trace, importances, final: state() }
}

/** Keeps what is fed for each step. */
const recorded = (drawn: Drawn, k: number, steps: Draw[]): Drawn => ({
  ...drawn,
  async stepFeeds(range, weightsOf) {
    const feeds = await drawn.stepFeeds(range, weightsOf)
    const resident = (drawn.feeds[`images.${k}`] ?? drawn.feeds.images)?.data as Uint8Array | undefined
    for (let i = 0; i < range.steps; i++) {
      const of = (name: string, size = range.batch) => {
        const all = feeds[`${name}.${k}`]
        return all && numbersOf(all).slice(i * size, (i + 1) * size)
      }
      const [others, latents] = [of('others'), of('latents', range.batch * SIZE)]
      const bytes = resident && of('items')?.flatMap((item) => [...resident.subarray(item * SIZE, (item + 1) * SIZE)])
      steps.push({
        ...{ t: of('t')!, labels: of('labels')!, keys: of('keys', 2 * range.batch)! },
        ...(others && { others }),
        ...(bytes && { bytes }),
        ...(latents && { latents }),
      })
    }
    return feeds
  },
})
