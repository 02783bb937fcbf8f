/** The trainer on a toy network: seeds, batches, masks, ascent, penalties, what comes after a step, numbers by step, cancelling. */
import { expect, test } from 'vitest'
import { numbersOf } from '../../runner/engine/onnx/tensor.ts'
import { DivergenceError, type StageTrainer } from '../../runner/engine/training/trainer.ts'
import type { Mask } from '../../runner/science/mask.ts'
import type { SgdOptions } from '../../runner/science/method.ts'
import { type ClassifierTypes, fitLabels } from '../../runner/science/tasks/classification/vocabulary.ts'
import { flatten } from '../../runner/science/weights.ts'
import { bytesOf, range, toyNetwork, toySplit, toyTrainer } from '../support/toy.ts'

type ToyTrainer = StageTrainer<ClassifierTypes>

const sgd: SgdOptions = { learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4 }
/** A step is the gradient and nothing else. */
const plain: SgdOptions = { learningRate: 0.05, momentum: 0, weightDecay: 0 }
const forget = range(0, 20)
const retain = range(20, 90)
const onForget = (batchSize: number) => fitLabels(forget, { batchSize })
const onRetain = (batchSize = 32) => fitLabels(retain, { batchSize })

const parametersOf = (trainer: ToyTrainer) =>
  toyNetwork.parameters.flatMap(({ name }) => numbersOf(trainer.state().get(name)!))
const entriesOf = (mask: Mask) => toyNetwork.parameters.flatMap(({ name }) => [...mask.get(name)!])
const pass = (trainer: ToyTrainer, options = sgd, term = onRetain()) =>
  trainer.sgd(options).descend([term], { passes: 1 })

test('the same seed gives the same bytes, another seed does not', async () => {
  const weights = async (seed: number) => {
    const trainer = toyTrainer({ seed })
    await pass(trainer)
    return bytesOf(trainer.state())
  }
  expect(await weights(1)).toEqual(await weights(1))
  expect(await weights(1)).not.toEqual(await weights(2))
})

test('the last, smaller batch is trained on as it is: 70 images in batches of 32 make steps of 32, 32 and 6', async () => {
  const seen: number[] = []
  const trainer = toyTrainer({ onProgress: ({ done }) => seen.push(done) })
  await pass(trainer)
  expect(seen.at(-1)).toBe(70)
  // One pass in a single batch of 70 and one in batches of 70 and nothing are the same step; 32 + 32 + 6 is another.
  const single = toyTrainer()
  await pass(single, sgd, onRetain(70))
  const larger = toyTrainer()
  await pass(larger, sgd, onRetain(1000))
  expect(bytesOf(larger.state())).toEqual(bytesOf(single.state()))
  expect(bytesOf(trainer.state())).not.toEqual(bytesOf(single.state()))
})

test('a pass reports the mean over its images, a run of steps over its steps, several passes the last', async () => {
  const trainer = toyTrainer()
  // Nothing moves, so that each image has one loss: 70 losses in batches of 32, 32 and 6 have the mean of one batch of 70.
  const still = { ...plain, learningRate: 1e-30 }
  const inBatches = await trainer.sgd(still).descend([evaluated(32)], { passes: 1 })
  const atOnce = await trainer.sgd(still).descend([evaluated(70)], { passes: 3 })
  expect(inBatches).toBeCloseTo(atOnce, 5)
  expect(trainer.losses()).toHaveLength(4)
  const steps = await trainer.sgd(still).descend([evaluated(35)], { steps: 2 })
  expect(steps).toBeCloseTo(atOnce, 5)
  // 2 steps: a report for each.
  expect(trainer.losses()).toHaveLength(6)
})

/** Answers that don't depend on what else is in the batch. */
const evaluated = (batchSize: number): ReturnType<typeof fitLabels> => ({
  on: { items: retain, batchSize },
  loss: ({ logitsOf, labels, crossEntropy }) => crossEntropy(logitsOf({ evaluation: true }), labels),
})

test('a pass sees every item once, each with the label at its position', async () => {
  // Each image alone, with labels that say which it is: the loss of a batch of 1 tells what came together.
  const trainer = toyTrainer()
  const labels = Int32Array.from(retain, (item) => item % 10)
  const one = { ...fitLabels(retain, { batchSize: 1, labels }) }
  const still = trainer.sgd({ ...plain, learningRate: 1e-30 })
  const mean = await still.descend(
    [{ ...one, loss: ({ logitsOf, labels, crossEntropy }) => crossEntropy(logitsOf({ evaluation: true }), labels) }],
    { passes: 1 },
  )
  const apart = await trainer.evaluate(one.on, ({ logits, labels, pick, logSoftmax }) =>
    pick(logSoftmax(logits), labels),
  )
  const byHand = await trainer.evaluate({ items: retain, batchSize: 35 }, ({ logits, logSoftmax }) =>
    logSoftmax(logits),
  )
  expect(apart).toHaveLength(70)
  apart.forEach((value, i) => {
    expect(value).toBeCloseTo(byHand[10 * i + labels[i]!]!, 4)
  })
  expect(mean).toBeCloseTo(-apart.reduce((sum, value) => sum + value) / 70, 4)
})

test('a number comes with each image, in whatever order a pass draws them', async () => {
  const trainer = toyTrainer()
  const { images, labels } = toySplit(90)
  const meanOf = (item: number) => images.subarray(784 * item, 784 * (item + 1)).reduce((sum, byte) => sum + byte, 0)
  const factors = [...retain].map((item) => meanOf(item) / 784 / 255)
  const on = { items: retain, batchSize: 16, factors }
  const shown = await trainer.evaluate(on, ({ factor }) => factor)
  expect([...shown]).toEqual([...Float32Array.from(factors)])
  // Beside its own image each is what the image says.
  const error = await trainer.sgd(plain).descend(
    [
      {
        on,
        loss({ images, factor, logits, mean, sum, square, subtract, add, multiply, divide }) {
          const own = divide(sum(sum(sum(images, 3), 2), 1), 784)
          return add(multiply(0, sum(logits)), mean(square(subtract(factor, own))))
        },
      },
    ],
    { passes: 1 },
  )
  expect(error).toBeLessThan(1e-10)
  // Weights of 0 leave an image out: a step on all is one on the others.
  const weighted = toyTrainer()
  const lossOf =
    (withFactor: boolean): ReturnType<typeof fitLabels>['loss'] =>
    ({ logitsOf, labels, factor, pick, logSoftmax, sum, multiply, negate }) => {
      const each = pick(logSoftmax(logitsOf({ evaluation: true })), labels)
      return negate(sum(withFactor ? multiply(factor, each) : each))
    }
  const kept = retain.filter((item) => labels[item]! < 5)
  const chosen = [...retain].map((item) => (labels[item]! < 5 ? 1 : 0))
  await weighted
    .sgd({ ...plain, learningRate: 1e-4 })
    .descend([{ on: { items: retain, batchSize: 90, factors: chosen }, loss: lossOf(true) }], { passes: 1 })
  const alone = toyTrainer()
  await alone
    .sgd({ ...plain, learningRate: 1e-4 })
    .descend([{ on: { items: kept, batchSize: 90 }, loss: lossOf(false) }], { passes: 1 })
  const [a, b] = [parametersOf(weighted), parametersOf(alone)]
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-6)
  expect(parametersOf(toyTrainer())).not.toEqual(a)
  await expect(trainer.evaluate({ items: retain, batchSize: 16 }, ({ factor }) => factor)).rejects.toThrow(
    'factor: expected a batch with `factors`, got one without',
  )
})

test('images of a method’s own take the place of the training set', async () => {
  const trainer = toyTrainer()
  const { images, labels } = toySplit(90)
  const own = { images: images.slice(60 * 784, 90 * 784), labels: labels.slice(60, 90) }
  const logitsOf = (on: ClassifierTypes['batch']) => trainer.evaluate(on, ({ logits }) => logits)
  const before = bytesOf(trainer.state())
  expect(await logitsOf({ items: range(5, 9), batchSize: 4, from: own })).toEqual(
    await logitsOf({ items: range(65, 69), batchSize: 4 }),
  )
  expect(bytesOf(trainer.state())).toEqual(before)
})

test.each([
  ['saliency', 0.5],
  ['inverted', 0.25],
  ['random', 0.1],
  ['saliency', 0.333],
  ['saliency', 1],
] as const)('a %s mask of density %f has exactly int(density * N) ones over all parameters', async (kind, density) => {
  const trainer = toyTrainer()
  const entries = entriesOf(await trainer.mask({ kind, density, of: onForget(8) }))
  expect(entries.length).toBe(parametersOf(trainer).length)
  expect(entries.filter(Boolean).length).toBe(Math.floor(density * entries.length))
  expect(trainer.seconds().mask).toBeGreaterThan(0)
})

test('a saliency mask keeps the largest sums of gradients, an inverted one the smallest, and they share no weight', async () => {
  const trainer = toyTrainer()
  const salient = entriesOf(await trainer.mask({ kind: 'saliency', density: 0.4, of: onForget(8) }))
  const inverted = entriesOf(await trainer.mask({ kind: 'inverted', density: 0.4, of: onForget(8) }))
  expect(salient.filter((entry, i) => entry && inverted[i]).length).toBe(0)
  const scores = flatten(await trainer.gradient(onForget(8))).map(Math.abs)
  const of = (mask: number[], wanted: number) => [...scores].filter((_, i) => mask[i] === wanted)
  expect(Math.min(...of(salient, 1))).toBeGreaterThanOrEqual(Math.max(...of(salient, 0)))
  expect(Math.max(...of(inverted, 1))).toBeLessThanOrEqual(Math.min(...of(inverted, 0)))
})

test('without momentum and decay, only the weights of the mask move', async () => {
  const trainer = toyTrainer()
  const before = parametersOf(trainer)
  const mask = await trainer.mask({ kind: 'saliency', density: 0.3, of: onForget(20) })
  const entries = entriesOf(mask)
  await pass(trainer, { ...plain, learningRate: 0.1, mask, freeze: 'gradient' }, onForget(20))
  const moved = parametersOf(trainer).map((value, i) => value !== before[i])
  expect(moved.some((is, i) => is && !entries[i])).toBe(false)
  expect(moved.filter(Boolean).length).toBeGreaterThan(0.8 * entries.filter(Boolean).length)
})

test('`hard` leaves masked weights bit-identical under momentum and weight decay, `gradient` moves them', async () => {
  const masked = async (freeze: 'hard' | 'gradient') => {
    const trainer = toyTrainer()
    const before = parametersOf(trainer)
    const mask = await trainer.mask({ kind: 'saliency', density: 0.5, of: onForget(8) })
    await trainer.sgd({ ...sgd, mask, freeze }).descend([onRetain()], { passes: 3 })
    const entries = entriesOf(mask)
    const after = parametersOf(trainer)
    return {
      frozenMoved: after.filter((value, i) => !entries[i] && !Object.is(value, before[i])).length,
      freeMoved: after.filter((value, i) => entries[i] && value !== before[i]).length,
    }
  }
  const hard = await masked('hard')
  expect(hard.frozenMoved).toBe(0)
  expect(hard.freeMoved).toBeGreaterThan(0)
  expect((await masked('gradient')).frozenMoved).toBeGreaterThan(0)
})

test('a mask that is selected lets the chosen parameters move and no others', async () => {
  const trainer = toyTrainer()
  const before = new Map(await trainer.read())
  const mask = trainer.select(({ name }) => name.startsWith('fc'))
  await pass(trainer, { ...sgd, mask })
  for (const [name, values] of await trainer.read()) {
    if (name.startsWith('fc')) expect(values, name).not.toEqual(before.get(name))
    else expect(values, name).toEqual(before.get(name))
  }
})

test('ascent raises the loss on D_f and descent lowers it; a weight of −1 reports the negative', async () => {
  const climbing = toyTrainer().sgd(plain)
  const up = { ...onForget(20), weight: -1 }
  const first = await climbing.descend([up], { passes: 1 })
  const second = await climbing.descend([up], { passes: 1 })
  expect(-second).toBeGreaterThan(-first)
  const falling = toyTrainer().sgd(plain)
  expect(await falling.descend([onForget(20)], { passes: 1 })).toBeCloseTo(-first, 5)
  expect(await falling.descend([onForget(20)], { passes: 1 })).toBeLessThan(-first)
})

test('an L1 penalty pulls every weight towards zero by rate * gamma, as far as the loss lets it, and is not reported', async () => {
  const step = async (gamma: number) => {
    const trainer = toyTrainer()
    const loss = await trainer
      .sgd({
        ...{ learningRate: 0.01, momentum: 0, weightDecay: 0 },
        penalty: ({ weights, number, multiply, sum, abs }) => multiply(number('gamma'), sum(abs(weights))),
      })
      .descend([onRetain(70)], { passes: 1, numbers: { gamma } })
    return { weights: parametersOf(trainer), loss }
  }
  const start = parametersOf(toyTrainer())
  const [free, penalised] = [await step(0), await step(0.5)]
  // One step from the same weights with the same gradient: the difference is -0.01 * 0.5 * sign(theta).
  start.forEach((theta, i) => {
    expect(penalised.weights[i]! - free.weights[i]!).toBeCloseTo(-0.005 * Math.sign(theta), 6)
  })
  expect(penalised.loss).toBe(free.loss)
})

test('shrinking undoes exactly the smallest changes, and the others by the largest undone one', async () => {
  const change = async (undoneShare: number) => {
    const trainer = toyTrainer()
    const before = parametersOf(trainer)
    const anchor = trainer.keep()
    const undone = Math.floor(undoneShare * before.length)
    await trainer
      .sgd({
        ...plain,
        after: ({ weights, weightsOf, number, shrinkChanges }) =>
          shrinkChanges(weights, weightsOf(anchor), number('undone')),
      })
      .descend([onRetain(70)], { passes: 1, numbers: { undone } })
    return parametersOf(trainer).map((value, i) => value - before[i]!)
  }
  const free = await change(0)
  const count = Math.floor(0.5 * free.length)
  const tau = free.map(Math.abs).sort((a, b) => a - b)[count - 1]!
  const shrunk = await change(0.5)
  shrunk.forEach((delta, i) => {
    expect(delta).toBeCloseTo(Math.sign(free[i]!) * Math.max(Math.abs(free[i]!) - tau, 0), 6)
  })
  expect(shrunk.filter((delta) => Math.abs(delta) < 1e-9).length).toBeGreaterThanOrEqual(count)
})

test('a number by step is what that step sees: a penalty of 0, 1, 0 moves the weights in the second step alone', async () => {
  const after = async (numbers: (step: number) => number, steps: number) => {
    const trainer = toyTrainer()
    await trainer
      .sgd({ ...plain, penalty: ({ weights, number, multiply, sum }) => multiply(number('pull'), sum(weights)) })
      .descend([flat], { steps, numbers: { pull: numbers } })
    return parametersOf(trainer)
  }
  const start = parametersOf(toyTrainer())
  // The slope of the sum is 1 everywhere: a step with the factor 1 takes off the rate.
  const [none, one, both] = [
    await after(() => 0, 3),
    await after((step) => (step === 1 ? 1 : 0), 3),
    await after((step) => step, 3),
  ]
  start.forEach((value, i) => {
    expect(none[i]).toBe(value)
    expect(one[i]!).toBeCloseTo(value - 0.05, 5)
    expect(both[i]!).toBeCloseTo(value - 0.15, 5)
  })
})

/** A loss that has no slope. */
const flat: ReturnType<typeof fitLabels> = {
  on: { items: retain, batchSize: 7 },
  loss: ({ logits, mean, multiply }) => multiply(mean(logits), 0),
}

test('the clipped direction has the norm that is asked for, where it is longer', async () => {
  const moved = async (clipNorm: number | null) => {
    const trainer = toyTrainer()
    const before = parametersOf(trainer)
    await pass(trainer, { ...plain, learningRate: 1, clipNorm }, onForget(20))
    return Math.hypot(...parametersOf(trainer).map((value, i) => value - before[i]!))
  }
  const free = await moved(null)
  expect(await moved(free / 3)).toBeCloseTo(free / 3, 4)
  expect(await moved(free * 3)).toBeCloseTo(free, 4)
})

test('a direction that sums the gradients of terms is the descent of their sum', async () => {
  const terms = [onForget(20), { ...onRetain(), weight: 0.5 }]
  const usual = toyTrainer()
  const loss = await usual.sgd(sgd).descend(terms, { steps: 3 })
  const own = toyTrainer()
  const same = await own
    .sgd({ ...sgd, direction: ({ gradient, add, multiply }) => add(gradient(0), multiply(gradient(1), 0.5)) })
    .descend(terms, { steps: 3 })
  expect(same).toBeCloseTo(loss, 5)
  const expected = parametersOf(usual)
  parametersOf(own).forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 5)
  })
})

test('the gradient at other weights is that of the model which has them', async () => {
  // Sharpness-aware: a step along the gradient at θ + ρ g.
  const trainer = toyTrainer()
  const before = parametersOf(trainer)
  const rho = 0.1
  await pass(
    trainer,
    {
      ...plain,
      learningRate: 1,
      direction: ({ weights, gradient, gradientAt, add, multiply }) =>
        gradientAt(0, add(weights, multiply(gradient(0), rho))),
    },
    still,
  )
  const found = parametersOf(trainer).map((value, i) => before[i]! - value)
  const other = toyTrainer()
  const here = await other.gradient(still)
  const moved = [...(await other.read())].map(
    ([name, values]) => [name, values.map((value, i) => value + rho * here.get(name)![i]!)] as const,
  )
  await other.write(new Map(moved))
  const there = flatten(await other.gradient(still))
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(there[i]!, 4)
  })
  expect(Math.hypot(...there.map((value, i) => value - flatten(here)[i]!))).toBeGreaterThan(0.01)
})

/** In evaluation mode, so that looking and training see the same. */
const still: ReturnType<typeof fitLabels> = { ...evaluated(20), on: { items: forget, batchSize: 20 } }

test('sums of gradients, single gradients, importances and folds agree with one another', async () => {
  const trainer = toyTrainer()
  const term = (batchSize: number) => fitLabels(range(0, 10), { batchSize })
  const singles: Float32Array[] = []
  const count = await trainer.foldGradients(term(1), new Float32Array(1), (sum, gradient, batch) => {
    expect(batch).toBe(singles.length)
    singles.push(Float32Array.from(gradient))
    return sum.map((value) => value + 1)
  })
  expect([...count]).toEqual([10])
  const summed = flatten(await trainer.gradient(term(1)))
  const importance = flatten(await trainer.importance(term(1)))
  const whole = flatten(await trainer.gradient(term(10)))
  summed.forEach((value, i) => {
    const column = singles.map((single) => single[i]!)
    expect(value).toBeCloseTo(
      column.reduce((a, b) => a + b),
      4,
    )
    // The gradient of the mean over 10 images is a tenth of the sum.
    expect(whole[i]!).toBeCloseTo(value / 10, 4)
    const square = column.reduce((sum, gradient) => sum + gradient ** 2, 0) / 10
    expect(Math.abs(importance[i]! - square)).toBeLessThan(1e-4 * (1 + square))
  })
})

test('batches that belong together are summed before they are squared', async () => {
  const trainer = toyTrainer()
  const term = fitLabels(range(0, 10), { batchSize: 1 })
  const singles: Float32Array[] = []
  await trainer.foldGradients(term, new Float32Array(0), (sum, gradient) => {
    singles.push(Float32Array.from(gradient))
    return sum
  })
  const importance = flatten(await trainer.importance(term, { together: 5 }))
  importance.forEach((value, i) => {
    const group = (from: number) => singles.slice(from, from + 5).reduce((sum, single) => sum + single[i]!, 0)
    const expected = (group(0) ** 2 + group(5) ** 2) / 2
    expect(Math.abs(value - expected)).toBeLessThan(1e-4 * (1 + expected))
  })
  expect(() => trainer.importance(term, { together: 3 })).toThrow(
    'importance: expected `together` to divide the 10 batches of the term, got 3',
  )
})

test('weights that are put back leave an optimizer its momentum', async () => {
  const trainer = toyTrainer()
  const before = trainer.keep()
  const start = parametersOf(trainer)
  const optimizer = trainer.sgd({ ...plain, learningRate: 0.1, momentum: 0.5 })
  await optimizer.descend([onForget(20)], { steps: 1 })
  const first = parametersOf(trainer).map((value, i) => value - start[i]!)
  await trainer.restore(before)
  expect(parametersOf(trainer)).toEqual(start)
  // Without a slope of its own a step is half of that before.
  await optimizer.descend([flat], { steps: 1 })
  parametersOf(trainer).forEach((value, i) => {
    expect(value - start[i]!).toBeCloseTo(first[i]! / 2, 5)
  })
})

test('an average moves as w̄ <- d w̄ + (1 - d) w where it is asked for, and takes the place of the weights', async () => {
  const trainer = toyTrainer()
  const start = parametersOf(trainer)
  const optimizer = trainer.sgd({ ...plain, average: 0.75 })
  await expect(optimizer.takeAverage()).rejects.toThrow('no moving average of the weights was kept')
  await optimizer.descend([onForget(20)], { steps: 1 })
  const first = parametersOf(trainer)
  await optimizer.descend([onForget(20)], { steps: 2, average: null })
  await optimizer.descend([onForget(20)], { steps: 1 })
  const last = parametersOf(trainer)
  await optimizer.takeAverage()
  parametersOf(trainer).forEach((value, i) => {
    expect(value).toBeCloseTo(0.75 * (0.75 * start[i]! + 0.25 * first[i]!) + 0.25 * last[i]!, 5)
  })
})

test('a run of steps may go without the clipping and the direction of its optimizer', async () => {
  const terms = [onForget(20)]
  const usual = toyTrainer()
  await usual.sgd(plain).descend(terms, { steps: 2 })
  const own = toyTrainer()
  await own
    .sgd({ ...plain, clipNorm: 1e-3, direction: ({ gradient, multiply }) => multiply(gradient(0), -1) })
    .descend(terms, { steps: 2, clipNorm: null, direction: null })
  expect(parametersOf(own)).toEqual(parametersOf(usual))
})

test('the gradient of a term counts its weight', async () => {
  const trainer = toyTrainer()
  const once = flatten(await trainer.gradient(onForget(8)))
  const thrice = flatten(await trainer.gradient({ ...onForget(8), weight: -3 }))
  expect(Math.hypot(...once)).toBeGreaterThan(0)
  thrice.forEach((value, i) => {
    expect(value).toBeCloseTo(-3 * once[i]!, 4)
  })
})

test('what is kept stays as the model moves on, until it is taken anew', async () => {
  const trainer = toyTrainer()
  const on = { items: range(0, 6), batchSize: 6 }
  const teacher = trainer.keep()
  const answers = () => trainer.evaluate(on, ({ logitsOf }) => logitsOf({ of: teacher }))
  const own = () => trainer.evaluate(on, ({ logits }) => logits)
  const before = await own()
  await pass(trainer)
  expect(await answers()).toEqual(before)
  expect(await own()).not.toEqual(before)
  teacher.retake()
  expect(await answers()).toEqual(await own())
})

test('weights are read, written and made anew by name', async () => {
  const trainer = toyTrainer()
  const first = await trainer.read()
  expect([...first.keys()]).toEqual(trainer.parameters.map(({ name }) => name))
  await pass(trainer)
  const moved = await trainer.read()
  await trainer.reinitialise(({ name }) => name === 'fc2.weight')
  for (const [name, values] of await trainer.read()) {
    if (name === 'fc2.weight') expect(values).not.toEqual(moved.get(name))
    else expect(values, name).toEqual(moved.get(name))
  }
  const fresh = trainer.fresh()
  const on = { items: range(0, 6), batchSize: 6 }
  const answer = await trainer.evaluate(on, ({ logitsOf }) => logitsOf({ of: fresh }))
  await trainer.reinitialise(() => true)
  // Fresh statistics of batch norm too: the answers of the model still differ by them alone.
  const own = await trainer.evaluate(on, ({ logits }) => logits)
  expect(own).not.toEqual(answer)
  await trainer.write(first)
  expect(await trainer.read()).toEqual(first)
  await expect(trainer.write(new Map([['nonsense', new Float32Array(1)]]))).rejects.toThrow(
    /expected a parameter, got "nonsense"; there are conv1\.weight/,
  )
  await expect(trainer.write(new Map([['fc2.weight', new Float32Array(3)]]))).rejects.toThrow(/fc2\.weight/)
  const values = new Map(first)
  values.delete('fc2.bias')
  expect(() => trainer.hold(values)).toThrow('got none for fc2.bias')
})

test('augmentation changes what is seen: shifted, flipped images give other weights, reproducibly', async () => {
  const weights = async (augment: boolean) => {
    const trainer = toyTrainer({ augment })
    await pass(trainer)
    return bytesOf(trainer.state())
  }
  expect(await weights(true)).toEqual(await weights(true))
  expect(await weights(true)).not.toEqual(await weights(false))
})

test('values of examples are those of the images as they are, augmented or not in training', async () => {
  const on = { items: range(0, 20), batchSize: 7 }
  const images = (augment: boolean) => toyTrainer({ augment }).evaluate(on, ({ images }) => images)
  expect(await images(true)).toEqual(await images(false))
  expect(await images(false)).toEqual(
    Float32Array.from(toySplit(20).images, (byte) => Math.fround(byte * Math.fround(1 / 255))),
  )
})

test('batch norm keeps running statistics: answers do not depend on what else is asked', async () => {
  const trainer = toyTrainer()
  await pass(trainer)
  const answers = (items: Int32Array) => trainer.evaluate({ items, batchSize: 250 }, ({ logits }) => logits)
  const all = await answers(range(0, 90))
  const few = await answers(range(30, 37))
  expect(few).toHaveLength(70)
  few.forEach((logit, i) => {
    expect(logit).toBeCloseTo(all[300 + i]!, 4)
  })
})

test('answers asked for as in evaluation leave the running statistics alone, others move them', async () => {
  const statistics = async (term: ReturnType<typeof fitLabels>) => {
    const trainer = toyTrainer()
    await pass(trainer, plain, term)
    return toyNetwork.buffers.flatMap(({ name }) => numbersOf(trainer.state().get(name)!))
  }
  const start = toyTrainer().state()
  const initial = toyNetwork.buffers.flatMap(({ name }) => numbersOf(start.get(name)!))
  expect(await statistics(evaluated(35))).toEqual(initial)
  expect(await statistics(onRetain(35))).not.toEqual(initial)
})

test('a loss that is no longer finite stops the pass with an error that names the learning rate', async () => {
  const optimizer = toyTrainer().sgd({ ...sgd, learningRate: 1e8 })
  const diverge = () => optimizer.descend([onRetain(8)], { passes: 20 })
  await expect(diverge()).rejects.toThrow(DivergenceError)
  await expect(diverge()).rejects.toThrow(/learning rate \(now 100000000\)/)
})

test('an aborted signal stops the pass between chunks and leaves the weights of the last finished pass', async () => {
  const control = new AbortController()
  const trainer = toyTrainer({ signal: control.signal, onProgress: () => control.abort(new Error('stop')) })
  const before = bytesOf(trainer.state())
  await expect(pass(trainer, sgd, onRetain(2))).rejects.toThrow('stop')
  expect(bytesOf(trainer.state())).toEqual(before)
})
