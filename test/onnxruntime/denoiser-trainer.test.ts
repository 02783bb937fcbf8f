/** Training, unlearning and sampling a toy diffusion model. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parameterCount } from '../../runner/engine/nn/variables.ts'
import type { Tensor } from '../../runner/engine/onnx/tensor.ts'
import type { MethodDefinition } from '../../runner/science/method.ts'
import * as methods from '../../runner/science/methods/index.ts'
import { noiseTerm } from '../../runner/science/tasks/generation/vocabulary.ts'
import { checkpointOf } from '../../runner/store/checkpoint.ts'
import type { DenoiserFit, StageDenoiserTrainer } from '../../runner/tasks/generation/denoiser-trainer.ts'
import { TOY_CLASSES, toyDenoiser, toyDenoiserTrainer, toyForget, toyRetain } from '../support/toy-denoiser.ts'

const flat = (weights: ReadonlyMap<string, Tensor>) =>
  [...weights].map(([name, { data }]) => [name, Array.from(data as Float32Array)] as const)
const recipe = (over: Partial<DenoiserFit> = {}): DenoiserFit => ({
  steps: 300,
  batchSize: 32,
  learningRate: 3e-3,
  rate: () => 3e-3,
  optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  clipNorm: 1,
  dropCondition: 0.1,
  average: null,
  ...over,
})
const small = { steps: 4, batchSize: 8, perClass: 2, latentSteps: 4, sampleSteps: 4 }

async function forgetWith(
  method: MethodDefinition,
  trainer: StageDenoiserTrainer,
  given: Record<string, unknown> = {},
) {
  const { params, run } = method.generation!
  const shape = (params as unknown as { shape: Record<string, unknown> }).shape
  const asked = Object.fromEntries(Object.entries({ ...small, ...given }).filter(([name]) => name in shape))
  await run({
    params: params.parse(asked),
    trainer,
    forget: toyForget,
    retain: toyRetain,
    forgotten: 0,
    classes: TOY_CLASSES,
  })
  await trainer.release()
  return trainer.weights()
}

/** Mean noise loss on items, with the same draws for every set of weights. */
async function lossOn(weights: Map<string, Tensor>, items: Int32Array): Promise<number> {
  const trainer = toyDenoiserTrainer({ weights, purpose: 'measure' })
  const term = noiseTerm(items, 1, { batchSize: 30, dropCondition: 0 })
  await trainer.optimizer({ learningRate: 1e-12, clipNorm: null }).steps(20, [term])
  await trainer.release()
  return trainer.losses().reduce((sum, loss) => sum + loss) / trainer.losses().length
}

let original: Map<string, Tensor>
beforeAll(async () => {
  const trainer = toyDenoiserTrainer()
  await trainer.fit(
    Int32Array.from({ length: 90 }, (_, i) => i),
    recipe(),
  )
  const losses = trainer.losses()
  expect(losses).toHaveLength(20)
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2)
  original = trainer.weights()
  await trainer.release()
})
const onOriginal = (options: Parameters<typeof toyDenoiserTrainer>[0] = {}) =>
  toyDenoiserTrainer({ weights: original, purpose: 'unlearn', ...options })

const unlearners = Object.entries(methods as Record<string, MethodDefinition>).filter(([, method]) => method.generation)

test('these methods unlearn image generation, beside the two trainings', () => {
  expect(unlearners.map(([id]) => id)).toEqual(['erasediff', 'esd', 'ft', 'ga', 'rl', 'salun', 'selective-amnesia'])
})

describe.each(unlearners)('%s', (_, method) => {
  test('refuses a parameter it does not know', () => {
    expect(() => method.generation!.params.parse({ nonsense: 1 })).toThrow(/nonsense/)
  })

  test('moves the weights to finite values; stopped half-way and continued, to the same ones', async () => {
    const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
    const steps = 8
    const whole = flat(await forgetWith(method, onOriginal(), { steps }))
    expect(whole).not.toEqual(flat(original))
    expect(whole.every(([, data]) => data.every(Number.isFinite))).toBe(true)
    const stop = new AbortController()
    let stopped = false
    const first = onOriginal({
      checkpoint: checkpointOf(home, 'half', { everyMs: 0 }),
      signal: stop.signal,
      onProgress({ phase, done }) {
        if (phase !== 'unlearning' || done < 4 || done === steps) return
        stopped = true
        stop.abort(new Error('half-way'))
      },
    })
    const outcome = await forgetWith(method, first, { steps }).catch((error: Error) => error.message)
    expect(stopped ? outcome : 'half-way').toBe('half-way')
    const second = onOriginal({ checkpoint: checkpointOf(home, 'half', { everyMs: 0 }) })
    expect(flat(await forgetWith(method, second, { steps }))).toEqual(whole)
    await rm(home, { recursive: true })
  })
})

test('another seed gives other weights', async () => {
  const once = flat(await forgetWith(methods.ft, onOriginal()))
  expect(flat(await forgetWith(methods.ft, onOriginal({ seed: 1 })))).not.toEqual(once)
})

test('an average of the weights moves as w̄ <- d w̄ + (1 - d) w', async () => {
  const items = Int32Array.of(0, 1, 2)
  const after = async (steps: number) => {
    const trainer = onOriginal()
    const average = await trainer.fit(items, recipe({ steps, batchSize: 2, average: 0.75 }))
    await trainer.release()
    return { weights: trainer.weights(), average: average! }
  }
  const [one, two] = [await after(1), await after(2)]
  const at = (weights: Map<string, Tensor>) => Number(weights.get('in.weight')!.data[0])
  expect(at(one.average)).toBeCloseTo(0.75 * at(original) + 0.25 * at(one.weights), 6)
  expect(at(two.average)).toBeCloseTo(0.75 * at(one.average) + 0.25 * at(two.weights), 6)
})

describe('salun', () => {
  const strong = { steps: 60, batchSize: 30, learningRate: 2e-3 }

  test('without the remain term the other classes are lost', async () => {
    const before = await lossOn(original, toyRetain)
    const without = await lossOn(await forgetWith(methods.salun, onOriginal(), { ...strong, alpha: 0 }), toyRetain)
    const beside = await lossOn(await forgetWith(methods.salun, onOriginal(), { ...strong, alpha: 0.05 }), toyRetain)
    expect(without).toBeGreaterThan(1.5 * before)
    expect(beside).toBeLessThan((before + without) / 2)
  })

  test.each(['saliency', 'random', 'inverted'] as const)(
    'the mask %s has exactly int(density * N) ones',
    async (kind) => {
      const trainer = onOriginal()
      const total = parameterCount(toyDenoiser)
      for (const density of [0.5, 0.1234]) {
        const mask = await trainer.mask({ kind, density, items: toyForget, batchSize: 8, guidance: 2 })
        const ones = [...mask.values()].reduce((sum, entries) => sum + entries.reduce((a, b) => a + b, 0), 0)
        expect(ones).toBe(Math.floor(density * total))
      }
      await trainer.release()
    },
  )

  test('the mask of the guided loss is not that of the plain loss', async () => {
    const trainer = onOriginal()
    const options = { kind: 'saliency', density: 0.5, items: toyForget, batchSize: 8 } as const
    expect(await trainer.mask({ ...options, guidance: 2 })).not.toEqual(await trainer.mask({ ...options, guidance: 0 }))
    await trainer.release()
  })

  test.each(['hard', 'gradient'])('weights outside the mask stay bit for bit (%s)', async (freeze) => {
    const masking = onOriginal()
    const mask = await masking.mask({ kind: 'saliency', density: 0.3, items: toyForget, batchSize: 8, guidance: 2 })
    await masking.release()
    const moved = await forgetWith(methods.salun, onOriginal(), { density: 0.3, freeze })
    let changed = 0
    for (const [name, { data }] of moved) {
      const before = original.get(name)!.data
      mask.get(name)!.forEach((free, i) => {
        if (free) changed += data[i] === before[i] ? 0 : 1
        else if (data[i] !== before[i]) throw new Error(`${name}[${i}] moved from ${before[i]} to ${data[i]}`)
      })
    }
    expect(changed).toBeGreaterThan(0.9 * Math.floor(0.3 * parameterCount(toyDenoiser)))
  })

  test('without a mask it is rl', async () => {
    const none = await forgetWith(methods.salun, onOriginal(), { mask: 'none' })
    expect(flat(none)).toEqual(flat(await forgetWith(methods.rl, onOriginal())))
  })
})

test('esd moves only the part it is told to', async () => {
  for (const trained of ['conditioning', 'rest'] as const) {
    const moved = await forgetWith(methods.esd, onOriginal(), { trained })
    const changed = [...moved].filter(([name, { data }]) => `${data}` !== `${original.get(name)!.data}`)
    expect(changed.length).toBeGreaterThan(0)
    const inside = (name: string) => /^class\.|\.embedding\./.test(name) === (trained === 'conditioning')
    expect(changed.every(([name]) => inside(name))).toBe(true)
  }
})

test('erasediff with an adaptive balance finds other weights', async () => {
  const fixed = flat(await forgetWith(methods.erasediff, onOriginal()))
  expect(flat(await forgetWith(methods.erasediff, onOriginal(), { balance: 'adaptive' }))).not.toEqual(fixed)
})
