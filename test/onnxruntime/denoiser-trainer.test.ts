/** Training, unlearning and sampling a toy diffusion model. */
import { beforeAll, describe, expect, test } from 'vitest'
import { parameterCount } from '../../runner/engine/nn/variables.ts'
import type { Tensor } from '../../runner/engine/onnx/tensor.ts'
import type { Unlearning } from '../../runner/science/method.ts'
import * as methods from '../../runner/science/methods/index.ts'
import { type DiffusionTerm, fitImages } from '../../runner/science/tasks/generation/vocabulary.ts'
import { range } from '../support/toy.ts'
import {
  TOY_CLASSES,
  tinyDenoiser,
  toyDenoiser,
  toyDenoiserTrainer,
  toyForget,
  toyImages,
  toyLabels,
  toyRetain,
} from '../support/toy-denoiser.ts'

type ToyTrainer = ReturnType<typeof toyDenoiserTrainer>
type Weights = ReadonlyMap<string, Tensor>

const flat = (weights: Weights) =>
  [...weights].map(([name, { data }]) => [name, Array.from(data as Float32Array)] as const)
const adam = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const
const span = { rate: () => 3e-3, phase: 'training', share: (done: number) => done }
const all = range(0, 90)

/** An optimizer as the recipe of a training asks for it. */
const fitting = (trainer: ToyTrainer, average: number | null = null) =>
  trainer.fit({ spec: adam, learningRate: 3e-3, clipNorm: 1, average })

async function forgetWith(
  { on }: { on: { [task: string]: Unlearning } },
  trainer: ToyTrainer,
  given: Record<string, unknown> = {},
) {
  const { params, run } = on.generation!
  await run({
    params: params.parse({ steps: 4, batchSize: 8, ...given }),
    trainer,
    verbs: trainer.verbs,
    ...{ forget: toyForget, retain: toyRetain, forgotten: [0], labels: toyLabels, classes: TOY_CLASSES },
    random: { integer: () => 0, shuffle: (items) => items, uniform: () => 0.5, normal: () => 0 },
  })
  await trainer.release()
  return trainer.state()
}

/** Mean noise loss on items, with the same draws for every set of weights. */
async function lossOn(weights: Weights, items: Int32Array): Promise<number> {
  const trainer = toyDenoiserTrainer({ weights, purpose: 'measure' })
  const loss = await trainer
    .adam({ learningRate: 1e-12 })
    .descend([fitImages(items, { batchSize: 30, dropCondition: 0 })], { steps: 20 })
  await trainer.release()
  return loss
}

let original: Weights
beforeAll(async () => {
  const trainer = toyDenoiserTrainer()
  await fitting(trainer).steps([fitImages(all, { batchSize: 32, dropCondition: 0.1 })], 300, span)
  const losses = trainer.losses()
  expect(losses).toHaveLength(20)
  expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2)
  original = trainer.state()
  await trainer.release()
})
/** Of random weights, where those of the original would say no more. */
const tiny = (options: Parameters<typeof toyDenoiserTrainer>[0] = {}) =>
  toyDenoiserTrainer({ denoiser: tinyDenoiser, ...options })
const onOriginal = (options: Parameters<typeof toyDenoiserTrainer>[0] = {}) =>
  toyDenoiserTrainer({ weights: original, purpose: 'unlearn', ...options })

test('an average of the weights moves as w̄ <- d w̄ + (1 - d) w', async () => {
  const after = async (steps: number) => {
    const trainer = tiny()
    const optimizer = fitting(trainer, 0.75)
    await optimizer.steps([fitImages(Int32Array.of(0, 1, 2), { batchSize: 2 })], steps, span)
    await trainer.release()
    return { weights: trainer.state(), average: optimizer.average() }
  }
  const start = tiny().state()
  const [one, two] = [await after(1), await after(2)]
  const at = (weights: Weights) => Number(weights.get('in.weight')!.data[0])
  expect(at(one.average)).toBeCloseTo(0.75 * at(start) + 0.25 * at(one.weights), 6)
  expect(at(two.average)).toBeCloseTo(0.75 * at(one.average) + 0.25 * at(two.weights), 6)
  const none = tiny()
  const optimizer = fitting(none)
  await optimizer.steps([fitImages(all, { batchSize: 2 })], 1, span)
  expect(() => optimizer.average()).toThrow('no moving average of the weights was kept')
  await none.release()
})

test('progress tells the share of the stage that the recipe says', async () => {
  const shares: (number | undefined)[] = []
  const trainer = tiny({ onProgress: ({ share }) => shares.push(share) })
  await fitting(trainer).steps([fitImages(all, { batchSize: 2 })], 3, { ...span, share: (done) => 0.5 + done / 2 })
  await trainer.release()
  expect(shares.at(-1)).toBe(1)
  expect(shares[0]).toBeCloseTo(0.5 + 1 / 6, 9)
})

describe('values that a loss can look at', () => {
  const on = { items: toyForget.subarray(0, 4), batchSize: 4 }
  const ask = async (value: DiffusionTerm['loss'], batch: DiffusionTerm['on'] = on) => {
    const trainer = tiny()
    const found = await trainer.evaluate(batch, value)
    await trainer.release()
    return found
  }

  test('x is the image between -1 and 1 and noise, mixed as the timestep says', async () => {
    // sqrt(ᾱ) x_0 + sqrt(1 − ᾱ) ε: without the noise, what is left of each image is proportional to it.
    const [x, noise, t] = [
      await ask(({ x }) => x),
      await ask(({ noise }) => noise),
      await ask(({ t, add }) => add(t, 0)),
    ]
    const alphaBar = (t: number) => {
      let product = 1
      for (let i = 0; i <= t; i++) product *= 1 - (1e-3 + ((0.2 - 1e-3) * i) / 99)
      return product
    }
    const { images } = toyImages(90)
    for (let image = 0; image < 4; image++) {
      const bar = alphaBar(t[image]!)
      for (let at = 0; at < 64; at++) {
        const clean = (2 * images[on.items[image]! * 64 + at]!) / 255 - 1
        const i = image * 64 + at
        expect(x[i]!).toBeCloseTo(Math.sqrt(bar) * clean + Math.sqrt(1 - bar) * noise[i]!, 4)
      }
    }
  })

  test('labels are those of the items, of the images given, of the uniform noise; other classes come beside', async () => {
    const label: DiffusionTerm['loss'] = ({ label, add }) => add(label, 0)
    expect([...(await ask(label, { items: range(0, 6), batchSize: 4 }))]).toEqual([0, 1, 2, 0, 1, 2])
    const from = { images: new Uint8Array(3 * 64), labels: Uint8Array.of(2, 0, 1) }
    expect([...(await ask(label, { from, batchSize: 2 }))]).toEqual([2, 0, 1])
    const other: DiffusionTerm['loss'] = ({ other, add }) => add(other, 0)
    expect([...(await ask(other, { items: range(0, 6), batchSize: 6, other: 'next' }))]).toEqual([1, 2, 0, 1, 2, 0])
    const random = await ask(other, { items: new Int32Array(60), batchSize: 60, other: 'random' })
    expect(new Set(random)).toEqual(new Set([1, 2]))
    const shared = await ask(other, { items: new Int32Array(60), batchSize: 10, other: 'shared' })
    expect(new Set(shared)).toEqual(new Set([1, 2]))
    for (let i = 0; i < 60; i++) expect(shared[i]).toBe(shared[i - (i % 10)])
    expect([...(await ask(({ none, add }) => add(none, 0)))]).toEqual([3, 3, 3, 3])
  })

  test('images at every timestep are those images, each at all timesteps in order', async () => {
    const from = { images: Uint8Array.from({ length: 2 * 64 }, (_, i) => i), labels: Uint8Array.of(2, 0) }
    const each = { from, batchSize: 50, everyTimestep: true }
    const t = await ask(({ t, add }) => add(t, 0), each)
    expect([...t]).toEqual([...range(0, 100), ...range(0, 100)])
    const label = await ask(({ label, add }) => add(label, 0), each)
    expect([...label]).toEqual([...Array(100).fill(2), ...Array(100).fill(0)])
  })

  test('bytes stand for numbers between -1 and 1, or between 0 and 1', async () => {
    const from = { images: Uint8Array.from({ length: 64 }, (_, i) => 4 * i), labels: Uint8Array.of(0) }
    const x0 = async (pixels?: 'signed' | 'unit') => {
      const on = { from, batchSize: 1, everyTimestep: true, pixels }
      const [x, noise] = [await ask(({ x }) => x, on), await ask(({ noise }) => noise, on)]
      // At t = 0, where ᾱ is 0.999.
      return Array.from({ length: 64 }, (_, i) => (x[i]! - Math.sqrt(1e-3) * noise[i]!) / Math.sqrt(0.999))
    }
    const [signed, unit] = [await x0(), await x0('unit')]
    for (let i = 0; i < 64; i++) {
      expect(signed[i]!).toBeCloseTo((8 * i) / 255 - 1, 4)
      expect(unit[i]!).toBeCloseTo((4 * i) / 255, 4)
    }
  })

  test('with guidance w the prediction is (1 + w) ε_c − w ε_∅', async () => {
    const known = await ask(({ x, t, label, predict }) => predict({ x, t, label }))
    const unknown = await ask(({ x, t, none, predict }) => predict({ x, t, label: none }))
    const guided = await ask(({ x, t, label, predict }) => predict({ x, t, label }, { guidance: 1.5 }))
    guided.forEach((value, i) => {
      expect(value).toBeCloseTo(2.5 * known[i]! - 1.5 * unknown[i]!, 4)
    })
    expect(known).not.toEqual(unknown)
  })

  test('what can’t be had is refused with the reason', async () => {
    const trainer = tiny()
    const descend = (term: DiffusionTerm) => trainer.adam({ learningRate: 1e-3 }).descend([term], { steps: 1 })
    const sampled = { label: 0, guidance: 0, steps: 2 }
    await expect(
      descend({
        on: { sampled, batchSize: 2 },
        loss: ({ x, t, label, noise, predict, squaredError }) => squaredError(predict({ x, t, label }), noise, 'mean'),
      }),
    ).rejects.toThrow('noise: latents that were sampled carry no record of their noise')
    await expect(
      descend({
        on,
        loss: ({ x, t, other, noise, predict, squaredError }) =>
          squaredError(predict({ x, t, label: other }), noise, 'mean'),
      }),
    ).rejects.toThrow('other: the batch draws no other classes; ask for them with { other }')
    await expect(descend(fitImages(new Int32Array(0), { batchSize: 2 }))).rejects.toThrow(
      'a term of the loss has no images to draw from',
    )
    await expect(
      trainer
        .adam({ learningRate: 1e-3 })
        .descend([{ ...fitImages(all, { batchSize: 2 }), on: { sampled, batchSize: 2 } }], { passes: 1 }),
    ).rejects.toThrow('a pass goes over the items of its first term, but that has none; ask for steps')
    await trainer.release()
  })
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

  /** The term whose gradient gives its saliency. */
  const salient = (guidance: number): DiffusionTerm => ({
    on: { items: toyForget, batchSize: 8 },
    loss: ({ x, t, label, noise, predict, squaredError }) =>
      squaredError(noise, predict({ x, t, label }, { guidance }), 'sum'),
  })

  test.each(['saliency', 'random', 'inverted'] as const)(
    'the mask %s has exactly int(density * N) ones',
    async (kind) => {
      const trainer = onOriginal()
      const total = parameterCount(toyDenoiser)
      for (const density of [0.5, 0.1234]) {
        const mask = await trainer.mask({ kind, density, of: salient(2), clipNorm: 1 })
        const ones = [...mask.values()].reduce((sum, entries) => sum + entries.reduce((a, b) => a + b, 0), 0)
        expect(ones).toBe(Math.floor(density * total))
      }
      await trainer.release()
    },
  )

  test('the mask of the guided loss is not that of the plain loss', async () => {
    const trainer = onOriginal()
    const maskOf = (guidance: number) =>
      trainer.mask({ kind: 'saliency', density: 0.5, of: salient(guidance), clipNorm: 1 })
    expect(await maskOf(2)).not.toEqual(await maskOf(0))
    await trainer.release()
  })
})

test('esd moves only the part it is told to', async () => {
  for (const trained of ['conditioning', 'rest'] as const) {
    const moved = await forgetWith(methods.esd, onOriginal(), { trained, latentSteps: 4 })
    const changed = [...moved].filter(([name, { data }]) => `${data}` !== `${original.get(name)!.data}`)
    expect(changed.length).toBeGreaterThan(0)
    const inside = (name: string) => /^class\.|\.embedding\./.test(name) === (trained === 'conditioning')
    expect(changed.every(([name]) => inside(name))).toBe(true)
  }
})

test('erasediff with a fixed balance descends L_r + λ L_f', async () => {
  const plain = { lambda: 0, steps: 2, rounds: 1, passes: 0, reduction: 'sum', retainDropCondition: 0.1, average: null }
  const fixed = flat(await forgetWith(methods.erasediff, tiny(), plain))
  const retained = tiny()
  // Without λ what is left is fitting D_r, whose draws are those of the second term.
  const unused = { ...fitImages(toyForget, { batchSize: 8, dropCondition: 0.1 }), weight: 0 }
  await retained
    .adam({ learningRate: 1e-4, clipNorm: 1 })
    .descend(
      [
        { ...unused, on: { ...unused.on, other: 'random' } },
        fitImages(toyRetain, { batchSize: 8, dropCondition: 0.1 }),
      ],
      { steps: 2 },
    )
  const expected = flat(retained.state())
  await retained.release()
  fixed.forEach(([name, values], k) => {
    values.forEach((value, i) => {
      expect(Math.abs(value - expected[k]![1][i]!), name).toBeLessThan(1e-6)
    })
  })
})

test('images that are generated are those of the class: at the top where class 0 is bright', async () => {
  const trainer = onOriginal()
  const { images, labels } = await trainer.verbs.generate({ classes: [0, 1], perClass: 30, guidance: 2, steps: 20 })
  await trainer.release()
  expect([...labels]).toEqual([...Array(30).fill(0), ...Array(30).fill(1)])
  expect(images).toHaveLength(60 * 64)
  const brightAtTop = (image: number) => {
    const pixels = [...images.subarray(image * 64, (image + 1) * 64)]
    const total = (part: number[]) => part.reduce((sum, pixel) => sum + pixel, 0)
    return total(pixels.slice(0, 32)) > total(pixels.slice(32))
  }
  const right = Array.from(labels, (label, i) => brightAtTop(i) === (label === 0)).filter(Boolean).length
  // A coin would be right about 30 of 60, with a standard deviation of 4.
  expect(right).toBeGreaterThan(46)
})
