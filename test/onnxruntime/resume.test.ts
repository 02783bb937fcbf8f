/** A method that asks a trainer for everything, in two descents that use what came out before: cut anywhere and continued, it comes to
 *  the same bytes, losses and answers as when nothing cuts it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { StageTrainer } from '../../runner/engine/training/trainer.ts'
import type { Watch } from '../../runner/engine/training/watching.ts'
import { maskByScore } from '../../runner/science/mask.ts'
import type { TaskTypes } from '../../runner/science/method.ts'
import { fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { type DiffusionBatch, type DiffusionTerm, fitImages } from '../../runner/science/tasks/generation/vocabulary.ts'
import { flatten, type Weights } from '../../runner/science/weights.ts'
import { checkpointOf } from '../../runner/store/checkpoint.ts'
import { sha256Of } from '../../runner/store/digest.ts'
import { type Cutting, cutAndContinued, uncut } from '../support/cut.ts'
import { range, toyTrainer } from '../support/toy.ts'
import { tinyDenoiser, toyDenoiserTrainer, toyForget, toyRetain } from '../support/toy-denoiser.ts'

/** What a method was given, in its order. */
type Given = Record<string, number | Float32Array | Uint8Array | ReadonlyMap<string, Float32Array | Uint8Array>>

const digestOf = (value: Float32Array | Uint8Array) =>
  sha256Of(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))

/** Arrays by their digests, so that what differs is named and not printed. */
const wordsOf = (given: Given) =>
  Object.entries(given).flatMap(([name, value]): [string, string | number][] => {
    if (typeof value === 'number') return [[name, value]]
    if (!(value instanceof Map)) return [[name, digestOf(value as Float32Array)]]
    return [...value].map(([part, values]): [string, string] => [`${name} of ${part}`, digestOf(values)])
  })

/** Everything that must not depend on cuts. */
async function ended<T extends TaskTypes>(trainer: StageTrainer<T>, method: () => Promise<Given>) {
  try {
    const given = await method()
    const weights = new Map([...trainer.state()].map(([name, { data }]) => [name, data as Float32Array]))
    const losses = Object.fromEntries(trainer.losses().map((loss, i) => [`loss ${i}`, loss]))
    const looks = trainer.looks().map((seen, i) => [`look ${i}`, Float32Array.from(seen as number[])])
    return new Map(wordsOf({ ...given, weights, ...losses, ...Object.fromEntries(looks) }))
  } finally {
    await trainer.release()
  }
}

/** Some of the weights, which tells one look from another. */
const watch: Watch = async (state) => [...(state.get('fc2.weight')!.data as Float32Array)]

/** Looked at along the way. */
const classification = (cutting: Cutting) => unlearned({ ...cutting, watch })

async function unlearned(cutting: Cutting & { watch?: Watch }) {
  const trainer = toyTrainer({ ...cutting, augment: true })
  const [forget, retain] = [range(0, 9), range(20, 34)]
  const batchSize = 6
  return ended(trainer, async () => {
    const original = trainer.keep()
    const anchor = trainer.keep()
    const first = trainer.sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4 })
    const began = await first.descend([fitLabels(retain, { batchSize })], { passes: 2 })
    const teacher = trainer.keep()
    const answers = await trainer.evaluate({ items: forget, batchSize }, ({ logits, softmax }) => softmax(logits))
    const mask = await trainer.mask({ kind: 'saliency', density: 0.5, of: fitLabels(forget, { batchSize }) })
    const random = await trainer.mask({ kind: 'random', density: 0.5, of: fitLabels(forget, { batchSize }) })
    const gradient = await trainer.gradient(fitLabels(forget, { batchSize }), { clipNorm: 1 })
    const importance = await trainer.importance(fitLabels(forget, { batchSize: 1 }))
    const needed = trainer.hold(importance)
    const folded = await trainer.foldGradients(
      fitLabels(range(0, 3), { batchSize: 1 }),
      new Float32Array(flatten(gradient).length),
      (sum, gradient, batch) => sum.map((value, i) => value / 2 + (batch + 1) * Math.abs(gradient[i]!)),
    )
    const both = [
      { ...fitLabels(forget, { batchSize, labels: forget.map((item) => item % 3) }), weight: -0.1 },
      fitLabels(retain, { batchSize: 4 }),
    ]
    const went = await first.descend(both, { steps: 3 })
    anchor.retake()
    const read = await trainer.read()
    const halved = (values: Weights) => new Map([...values].map(([name, all]) => [name, all.map((value) => value / 2)]))
    await trainer.write(halved(new Map([...read].filter(([name]) => name.startsWith('fc')))))
    await trainer.reinitialise(({ name }) => name === 'conv3.weight')
    const fresh = trainer.fresh()
    const labels = Int32Array.from(forget, (_, i) => (answers[10 * i]! > 0.1 ? 1 : 2))
    const second = trainer.adam({
      ...{ learningRate: 0.01, clipNorm: 1, mask, freeze: 'hard' },
      penalty: ({ weights, weightsOf, number, subtract, multiply, square, sum }) =>
        multiply(number('hold'), sum(multiply(weightsOf(needed), square(subtract(weights, weightsOf(original)))))),
    })
    const distilled = await second.descend(
      [
        {
          on: { items: forget, batchSize, labels },
          loss({ logits, logitsOf, featuresOf, labels, ...ops }) {
            const { add, crossEntropy, squaredError, norm } = ops
            const far = squaredError(logits, logitsOf({ of: fresh }), 'mean')
            return add(add(crossEntropy(logits, labels), far), norm(featuresOf({ of: teacher })))
          },
        },
        {
          on: { items: retain, batchSize },
          loss: ({ logits, logitsOf, squaredError }) => squaredError(logits, logitsOf({ of: teacher }), 'sum'),
        },
      ],
      { steps: 4, numbers: { hold: (step) => 0.1 * step } },
    )
    const third = trainer.sgd({
      ...{ learningRate: 0.01, momentum: 0.5, weightDecay: 0, mask: random, freeze: 'gradient' },
      direction: ({ weights, gradient, gradientAt, add, multiply }) =>
        gradientAt(0, add(weights, multiply(gradient(0), 0.1))),
      after: ({ weights, weightsOf, number, shrinkChanges }) =>
        shrinkChanges(weights, weightsOf(anchor), number('undone')),
    })
    const sharp = await third.descend([fitLabels(forget, { batchSize })], { passes: 2, numbers: { undone: 100 } })
    const again = await first.descend([fitLabels(retain, { batchSize })], { passes: 1, learningRate: 0.01 })
    const last = await trainer.evaluate({ items: forget, batchSize }, ({ logitsOf, logits, subtract }) =>
      subtract(logits, logitsOf({ of: anchor })),
    )
    const sums = { began, went, distilled, sharp, again }
    return { ...sums, answers, mask, random, gradient, importance, folded, read, last }
  })
}

const loss: DiffusionTerm['loss'] = ({ x, t, label, noise, predict, squaredError }) =>
  squaredError(predict({ x, t, label }), noise, 'mean')
const noised = (on: DiffusionBatch): DiffusionTerm => ({ on, loss })

async function generation(cutting: Cutting) {
  const trainer = toyDenoiserTrainer({ denoiser: tinyDenoiser, ...cutting })
  const { verbs } = trainer
  const batchSize = 4
  return ended(trainer, async () => {
    const original = trainer.keep()
    const anchor = trainer.keep()
    const first = trainer.adam({ learningRate: 1e-3, clipNorm: 1 })
    const began = await first.descend([fitImages(toyRetain, { batchSize, dropCondition: 0.3 })], { steps: 3 })
    const teacher = trainer.keep()
    const samples = await verbs.generate({ classes: [1, 2], perClass: 3, guidance: 1, steps: 3 })
    const mask = await trainer.mask({
      ...{ kind: 'saliency', density: 0.5, clipNorm: 1 },
      of: {
        on: { items: toyForget.subarray(0, 6), batchSize },
        loss: ({ x, t, label, noise, predict, squaredError }) =>
          squaredError(noise, predict({ x, t, label }, { guidance: 2 }), 'sum'),
      },
    })
    const random = await trainer.mask({ kind: 'random', density: 0.4, of: noised({ items: toyForget, batchSize }) })
    const importance = await trainer.importance(noised({ from: samples, batchSize: 1 }))
    const needed = trainer.hold(importance)
    const gradient = await trainer.gradient(noised({ items: toyForget.subarray(0, 6), batchSize }))
    const chosen = maskByScore(gradient, { density: 0.6, kind: 'inverted' })
    const folded = await trainer.foldGradients(
      noised({ items: toyForget.subarray(0, 2), batchSize: 1 }),
      new Float32Array(flatten(gradient).length),
      (sum, gradient) => sum.map((value, i) => value + gradient[i]! ** 2),
    )
    const predicted = await trainer.evaluate(
      { items: toyForget.subarray(0, 5), batchSize },
      ({ x, t, none, predict }) => predict({ x, t, label: none }),
    )
    anchor.retake()
    const read = await trainer.read()
    await trainer.write(new Map([...read].slice(0, 2).map(([name, values]) => [name, values.map((value) => -value)])))
    await trainer.reinitialise((parameter) => verbs.conditioning(parameter))
    const fresh = trainer.fresh()
    const second = trainer.adam({
      ...{ learningRate: 1e-3, clipNorm: null, mask },
      penalty: ({ weights, weightsOf, subtract, multiply, square, sum }) =>
        multiply(0.1, sum(multiply(weightsOf(needed), square(subtract(weights, weightsOf(original)))))),
    })
    const label = 0
    const taught = await second.descend(
      [
        {
          on: { sampled: { label, guidance: 1, steps: 3 }, batchSize: 3 },
          loss: ({ x, t, label, predict, squaredError }) =>
            squaredError(predict({ x, t, label }), predict({ x, t, label }, { of: teacher, guidance: -2 }), 'mean'),
        },
        {
          on: { items: toyForget, batchSize, dropCondition: 0.2, other: 'random' },
          loss: ({ x, t, label, other, predict, stop, squaredError }) =>
            squaredError(predict({ x, t, label }), stop(predict({ x, t, label: other })), 'mean'),
        },
        { ...noised({ from: samples, batchSize: 2, dropCondition: 0.5 }), weight: 0.5 },
        { ...noised({ uniform: label, batchSize: 2 }), weight: 0.1 },
      ],
      { steps: 3 },
    )
    const third = trainer.sgd({
      ...{ learningRate: 1e-3, momentum: 0.9, weightDecay: 1e-3, mask: chosen, freeze: 'gradient' },
      direction: ({ weights, gradient, gradientAt, add, subtract, multiply }) =>
        add(gradient(1), gradientAt(0, subtract(weights, multiply(gradient(0), 0.01)))),
      after: ({ weights, weightsOf, add, multiply }) => add(multiply(weights, 0.9), multiply(weightsOf(anchor), 0.1)),
    })
    const towards: DiffusionTerm = {
      on: { items: toyForget.subarray(0, 6), batchSize },
      loss: ({ x, t, label, predict, squaredError }) =>
        squaredError(predict({ x, t, label }), predict({ x, t, label }, { of: fresh }), 'mean'),
    }
    const passed = await third.descend([towards, fitImages(toyRetain, { batchSize })], { passes: 2 })
    const again = await first.descend([fitImages(toyRetain, { batchSize })], { steps: 2 })
    const sums = { began, taught, passed, again }
    return { ...sums, images: samples.images, mask, random, importance, gradient, folded, predicted, read }
  })
}

describe.each([
  ['classification', classification],
  ['generation', generation],
] as const)('a method that asks for everything, of %s', (_, method) => {
  const whole = method(uncut())

  test.each([{ every: 1 }, { every: 2 }, { every: 3 }, { every: 5, chances: 3 }])(
    'cut after progress and continued, ends as if it never was: %o',
    async (how) => {
      const { result, attempts } = await cutAndContinued<Awaited<ReturnType<typeof method>>>(method, how)
      expect(attempts).toBeGreaterThan(3)
      const expected = await whole
      expect([...result.keys()]).toEqual([...expected.keys()])
      expect([...result].filter(([name, value]) => value !== expected.get(name))).toEqual([])
    },
  )
})

test('a method that is looked at after every run of an optimizer ends as one that is not', async () => {
  const [seen, unseen] = await Promise.all([classification(uncut()), unlearned(uncut())])
  const looks = [...seen.keys()].filter((name) => name.startsWith('look '))
  // 2 passes, 3 steps, 4 steps, 2 passes, 1 pass: each other weights.
  expect(looks).toHaveLength(2 + 1 + 1 + 2 + 1)
  expect(new Set(looks.map((name) => seen.get(name))).size).toBe(looks.length)
  expect([...seen].filter(([name]) => !looks.includes(name))).toEqual([...unseen])
})

test('weights and importances come back in the order of the parameters, on which flat vectors rest', async () => {
  const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const ask = async () => {
    const trainer = toyTrainer({ checkpoint: checkpointOf(home, 'half', { everyMs: 0 }) })
    const importance = await trainer.importance(fitLabels(range(0, 20), { batchSize: 8 }))
    const weights = await trainer.read()
    await trainer.write(weights)
    const names = trainer.parameters.map(({ name }) => name)
    return { importance, weights, state: trainer.state(), names }
  }
  const first = await ask()
  const again = await ask()
  expect([...again.importance]).toEqual([...first.importance])
  expect([...again.weights]).toEqual([...first.weights])
  expect([...again.importance.keys()]).toEqual(again.names)
  expect([...again.state.keys()]).toEqual([...first.state.keys()])
})

const asked: Record<string, (trainer: ReturnType<typeof toyDenoiserTrainer>) => Promise<Uint8Array | Float32Array>> = {
  samples: async ({ verbs }) => (await verbs.generate({ classes: [1, 2], perClass: 60, guidance: 1, steps: 2 })).images,
  // Two batches an image, so that the first cut is in the middle of what is squared.
  squares: async (trainer) => {
    const from = { images: Uint8Array.from({ length: 2 * 64 }, (_, i) => i), labels: Uint8Array.of(2, 0) }
    const term = noised({ from, batchSize: 50, everyTimestep: true })
    return flatten(await trainer.importance(term, { together: 2 }))
  },
}

test.each([
  ['samples', [50, 100, 120]],
  ['squares', [50, 100, 150, 200]],
])('%s go on in the middle', async (what, expected) => {
  const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const seen: number[] = []
  const attempt = async (stop: AbortController, kept: boolean) => {
    const trainer = toyDenoiserTrainer({
      denoiser: tinyDenoiser,
      ...(kept && { checkpoint: checkpointOf(home, 'half', { everyMs: 0 }) }),
      signal: stop.signal,
      onProgress({ done }) {
        if (!kept) return
        seen.push(done)
        if (seen.length < 3) stop.abort(new Error('cut'))
      },
    })
    return asked[what]!(trainer).finally(trainer.release)
  }
  await expect(attempt(new AbortController(), true)).rejects.toThrow('cut')
  await expect(attempt(new AbortController(), true)).rejects.toThrow('cut')
  const found = await attempt(new AbortController(), true)
  expect(seen).toEqual(expected)
  expect(found).toEqual(await attempt(new AbortController(), false))
})
