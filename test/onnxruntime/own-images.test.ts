/** What a classifier's batches can hold beside the training set, and images that follow gradients. */
import { expect, onTestFinished, test } from 'vitest'
import { randomStream } from '../../runner/engine/nn/random.ts'
import type { StageTrainer } from '../../runner/engine/training/trainer.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import { adversarialNeighbours } from '../../runner/science/methods/parts/neighbours.ts'
import { type ClassifierTypes, fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { cutAndContinued } from '../support/cut.ts'
import { bytesOf, range, tinyNetwork, toySplit, toyTrainer } from '../support/toy.ts'

const { images, labels, count } = toySplit(90)
const SIZE = 28 * 28

function trainerOf(options: Parameters<typeof toyTrainer>[0] = {}): StageTrainer<ClassifierTypes> {
  const trainer = toyTrainer({ network: tinyNetwork, ...options })
  onTestFinished(() => trainer.release())
  return trainer
}
const floatsOf = (items: Int32Array) =>
  Float32Array.from({ length: items.length * SIZE }, (_, i) =>
    Math.fround(images[items[Math.floor(i / SIZE)]! * SIZE + (i % SIZE)]! * Math.fround(1 / 255)),
  )

test('images beside the training set are seen as they are, with their own labels', async () => {
  const trainer = trainerOf({ augment: true })
  const mine = Float32Array.from({ length: 2 * SIZE }, (_, i) => i / (2 * SIZE))
  const on = { items: Int32Array.of(count + 1, 3, count), batchSize: 2, beside: { images: mine, labels: [4, 6] } }
  const seen = await trainer.evaluate(on, ({ images }) => images)
  expect(seen.subarray(0, SIZE)).toEqual(mine.subarray(SIZE))
  expect(seen.subarray(SIZE, 2 * SIZE)).toEqual(floatsOf(Int32Array.of(3)))
  expect(seen.subarray(2 * SIZE)).toEqual(mine.subarray(0, SIZE))
  expect(await trainer.evaluate(on, ({ labels, add }) => add(labels, 0))).toEqual(Float32Array.of(6, labels[3]!, 4))
})

test('a batch of copies beside the training set trains as the images do; only those of the training set are augmented', async () => {
  const items = range(0, 12)
  const beside = { images: floatsOf(items), labels: labels.subarray(0, 12) }
  const copies = items.map((item) => count + item)
  async function trained(augment: boolean, own: Int32Array) {
    const trainer = trainerOf({ augment })
    await trainer.sgd({ learningRate: 0.1, momentum: 0, weightDecay: 0 }).descend(
      [
        {
          on: { items: own, batchSize: 12, beside },
          loss: ({ logits, labels, crossEntropy }) => crossEntropy(logits, labels),
        },
      ],
      { passes: 2 },
    )
    return bytesOf(trainer.state())
  }
  expect(await trained(false, copies)).toEqual(await trained(false, items))
  expect(await trained(true, copies)).toEqual(await trained(false, copies))
  expect(await trained(true, items)).not.toEqual(await trained(false, items))
})

test('numbers that are drawn with each image are uniform, others in each step, and refused where none were asked for', async () => {
  const trainer = trainerOf()
  const on = { items: range(0, 90), batchSize: 8, uniforms: 100 }
  const draws = await trainer.evaluate(on, ({ uniform }) => uniform)
  expect(draws.length).toBe(9000)
  expect(draws.every((value) => value > 0 && value < 1)).toBe(true)
  expect(new Set(draws).size).toBeGreaterThan(8900)
  // Mean 1/2 with standard deviation √(1/12 / 9000) = 0.003, five of them either way.
  expect(Math.abs(draws.reduce((a, b) => a + b) / 9000 - 0.5)).toBeLessThan(0.015)
  expect(await trainer.evaluate(on, ({ uniform }) => uniform)).not.toEqual(draws)
  await expect(trainer.evaluate({ ...on, uniforms: undefined }, ({ uniform }) => uniform)).rejects.toThrow(/uniforms/)
})

test('the likeliest class under Gumbel noise is drawn as the softmax says', async () => {
  const trainer = trainerOf()
  const items = new Int32Array(4000).fill(5)
  const drawn = await trainer.evaluate(
    { items, batchSize: 500, uniforms: 10 },
    ({ logits, uniform, argMax, subtract, log, negate }) => argMax(subtract(logits, log(negate(log(uniform))))),
  )
  const shares = await trainer.evaluate({ items: Int32Array.of(5), batchSize: 1 }, ({ logits, softmax }) =>
    softmax(logits),
  )
  shares.forEach((share, label) => {
    const found = drawn.filter((one) => one === label).length / items.length
    expect(Math.abs(found - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / items.length))
  })
})

test('each neighbour is answered otherwise and lies within the first ball that holds one', async () => {
  const trainer = trainerOf()
  const forget = range(0, 20)
  // A model that answers them rightly.
  await trainer.sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0 }).descend(
    [
      {
        on: { items: forget, batchSize: 20 },
        loss: ({ logits, labels, crossEntropy }) => crossEntropy(logits, labels),
      },
    ],
    { passes: 40 },
  )
  const { params: schema } = methods.get('amun')!.on.classification!
  const params = schema.parse({ attackSteps: 10 }) as unknown as Parameters<typeof adversarialNeighbours>[0]['params']
  const context = { params, trainer, forget, labels } as unknown as Parameters<typeof adversarialNeighbours>[0]
  const found = await adversarialNeighbours(context)
  const truth = Array.from(forget, (item) => labels[item]!)
  const on = { items: forget.map((i) => count + i), batchSize: 7, beside: { images: found, labels: truth } }
  const answers = await trainer.evaluate(on, ({ logits, argMax }) => argMax(logits))
  const before = await trainer.evaluate({ items: forget, batchSize: 7 }, ({ logits, argMax }) => argMax(logits))
  const clean = floatsOf(forget)
  expect(before.filter((label, i) => label === truth[i]).length).toBeGreaterThan(15)
  expect(answers.filter((label, i) => label === truth[i]).length).toBe(0)
  expect(found.every((pixel) => pixel >= 0 && pixel <= 1)).toBe(true)
  forget.forEach((_, i) => {
    const part = (values: Float32Array) => values.subarray(i * SIZE, (i + 1) * SIZE)
    const distance = Math.hypot(...part(found).map((pixel, at) => pixel - part(clean)[at]!))
    // Ten steps of a tenth of the radius cross a ball; the image isn't moved further once it is answered otherwise.
    if (before[i] === truth[i]) expect(distance).toBeGreaterThan(0)
    else expect(distance).toBe(0)
  })
})

test('a fold of values that is cut anywhere comes to the same state', async () => {
  const whole = () => async (options: Parameters<typeof toyTrainer>[0]) => {
    const trainer = trainerOf(options)
    const end = await trainer.foldValues(
      ({ images, logits, labels, crossEntropy, gradient }) => gradient(crossEntropy(logits, labels), images),
      floatsOf(range(0, 4)),
      (state, round) =>
        round === 5
          ? null
          : { items: range(count, count + 4), batchSize: 2, beside: { images: state, labels: [1, 2, 3, 4] } },
      (state, slopes) => state.map((pixel, i) => pixel + slopes[i]!),
    )
    await trainer.sgd({ learningRate: 0.1, momentum: 0, weightDecay: 0 }).descend(
      [
        {
          on: { items: range(count, count + 4), batchSize: 2, beside: { images: end, labels: [1, 2, 3, 4] } },
          loss: ({ logits, labels, crossEntropy }) => crossEntropy(logits, labels),
        },
      ],
      { passes: 3 },
    )
    return { end, state: bytesOf(trainer.state()) }
  }
  const expected = await whole()({})
  expect(expected.end).not.toEqual(floatsOf(range(0, 4)))
  const { result, attempts } = await cutAndContinued((cutting) => whole()(cutting), { every: 1 })
  expect(result).toEqual(expected)
  expect(attempts).toBeGreaterThan(2)
})

test('a fast retrain is that of a fresh model: neither the original nor D_f has a part in it', async () => {
  const { params, run } = methods.get('fast-retrain')!.on.classification!
  async function retrained(passes: number, forget: Int32Array) {
    const trainer = trainerOf()
    const before = trainer.sgd({ learningRate: 0.1, momentum: 0, weightDecay: 0 })
    if (passes > 0) await before.descend([fitLabels(range(0, 90), { batchSize: 30 })], { steps: passes })
    const context = { trainer, verbs: { imageShape: [1, 28, 28] }, forget, retain: range(40, 70), forgotten: [] }
    await run({
      ...context,
      params: params.parse({ batchSize: 10, epochs: 2 }),
      labels,
      classes: 10,
      random: randomStream(0, 'labels'),
    } as never)
    return bytesOf(trainer.state())
  }
  const expected = await retrained(0, range(0, 10))
  expect(await retrained(3, range(0, 10))).toEqual(expected)
  expect(await retrained(0, range(10, 40))).toEqual(expected)
})
