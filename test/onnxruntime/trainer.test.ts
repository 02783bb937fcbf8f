/** The trainer on a toy network: seeds, batches, masks, ascent, L1, proximal steps and cancelling. */
import { expect, test } from 'vitest'
import { numbersOf, type Tensor } from '../../runner/engine/onnx/tensor.ts'
import { DivergenceError, type StageTrainer } from '../../runner/engine/training/trainer.ts'
import { range, toyNetwork, toySplit, toyTrainer } from '../support/toy.ts'

const sgd = { momentum: 0.9, weightDecay: 5e-4 }
const pass = { learningRate: 0.05, batchSize: 32 }
const forget = range(0, 20)
const retain = range(20, 90)

const bytesOf = (state: Map<string, Tensor>) =>
  new Map([...state].map(([name, { data }]) => [name, [...new Uint32Array(data.buffer, data.byteOffset, data.length)]]))
const parametersOf = (trainer: StageTrainer) =>
  toyNetwork.parameters.flatMap(({ name }) => numbersOf(trainer.state().get(name)!))
const entriesOf = (mask: ReadonlyMap<string, Uint8Array>) =>
  toyNetwork.parameters.flatMap(({ name }) => [...mask.get(name)!])

test('the same seed gives the same bytes, another seed does not', async () => {
  const weights = async (seed: number) => {
    const trainer = toyTrainer({ seed })
    await trainer.optimizer(sgd).pass(retain, pass)
    return bytesOf(trainer.state())
  }
  expect(await weights(1)).toEqual(await weights(1))
  expect(await weights(1)).not.toEqual(await weights(2))
})

test('the last, smaller batch is trained on as it is: 70 images in batches of 32 make steps of 32, 32 and 6', async () => {
  const seen: number[] = []
  const trainer = toyTrainer({ onProgress: ({ done }) => seen.push(done) })
  await trainer.optimizer(sgd).pass(retain, pass)
  expect(seen.at(-1)).toBe(70)
  // One pass in a single batch of 70 and one in batches of 70 and nothing are the same step; 32 + 32 + 6 is another.
  const single = toyTrainer()
  await single.optimizer(sgd).pass(retain, { ...pass, batchSize: 70 })
  const larger = toyTrainer()
  await larger.optimizer(sgd).pass(retain, { ...pass, batchSize: 1000 })
  expect(bytesOf(larger.state())).toEqual(bytesOf(single.state()))
  expect(bytesOf(trainer.state())).not.toEqual(bytesOf(single.state()))
})

test.each([
  ['saliency', 0.5],
  ['inverted', 0.25],
  ['random', 0.1],
  ['saliency', 0.333],
  ['saliency', 1],
] as const)('a %s mask of density %f has exactly int(density * N) ones over all parameters', async (kind, density) => {
  const entries = entriesOf(await toyTrainer().mask({ kind, density, items: forget, batchSize: 8 }))
  expect(entries.length).toBe(parametersOf(toyTrainer()).length)
  expect(entries.filter(Boolean).length).toBe(Math.floor(density * entries.length))
})

test('saliency and inverted masks of density 1/2 share no weight but ties', async () => {
  const trainer = toyTrainer()
  const salient = entriesOf(await trainer.mask({ kind: 'saliency', density: 0.4, items: forget, batchSize: 8 }))
  const inverted = entriesOf(await trainer.mask({ kind: 'inverted', density: 0.4, items: forget, batchSize: 8 }))
  expect(salient.filter((entry, i) => entry && inverted[i]).length).toBe(0)
})

test('without momentum and decay, only the weights of the mask move', async () => {
  const trainer = toyTrainer()
  const before = parametersOf(trainer)
  const mask = await trainer.mask({ kind: 'saliency', density: 0.3, items: forget, batchSize: 20 })
  const entries = entriesOf(mask)
  const optimizer = trainer.optimizer({ momentum: 0, weightDecay: 0, mask, freeze: 'gradient' })
  await optimizer.pass(forget, { learningRate: 0.1, batchSize: 20 })
  const moved = parametersOf(trainer).map((value, i) => value !== before[i])
  expect(moved.some((is, i) => is && !entries[i])).toBe(false)
  expect(moved.filter(Boolean).length).toBeGreaterThan(0.8 * entries.filter(Boolean).length)
})

test('`hard` leaves masked weights bit-identical under momentum and weight decay, `gradient` moves them', async () => {
  const masked = async (freeze: 'hard' | 'gradient') => {
    const trainer = toyTrainer()
    const before = parametersOf(trainer)
    const mask = await trainer.mask({ kind: 'saliency', density: 0.5, items: forget, batchSize: 8 })
    const optimizer = trainer.optimizer({ ...sgd, mask, freeze })
    for (let epoch = 0; epoch < 3; epoch++) await optimizer.pass(retain, pass)
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

test('ascent raises the loss on D_f and descent lowers it', async () => {
  const climbing = toyTrainer()
  const up = climbing.optimizer({ momentum: 0, weightDecay: 0 })
  const first = await up.pass(forget, { ...pass, batchSize: 20, ascend: true })
  const second = await up.pass(forget, { ...pass, batchSize: 20, ascend: true })
  expect(second).toBeGreaterThan(first)
  const falling = toyTrainer()
  const down = falling.optimizer({ momentum: 0, weightDecay: 0 })
  expect(await down.pass(forget, { ...pass, batchSize: 20 })).toBeCloseTo(first, 5)
  expect(await down.pass(forget, { ...pass, batchSize: 20 })).toBeLessThan(first)
})

test('the L1 term pulls every weight towards zero by rate * gamma, as far as the loss lets it', async () => {
  const step = async (l1: number) => {
    const trainer = toyTrainer()
    await trainer.optimizer({ momentum: 0, weightDecay: 0 }).pass(retain, { learningRate: 0.01, batchSize: 70, l1 })
    return parametersOf(trainer)
  }
  const start = parametersOf(toyTrainer())
  const [plain, penalised] = [await step(0), await step(0.5)]
  // One step from the same weights with the same gradient: the difference is -0.01 * 0.5 * sign(theta).
  start.forEach((theta, i) => {
    expect(penalised[i]! - plain[i]!).toBeCloseTo(-0.005 * Math.sign(theta), 6)
  })
})

test('the proximal step undoes exactly the smallest changes, and shrinks the others by the largest undone one', async () => {
  const change = async (undoneShare: number) => {
    const trainer = toyTrainer()
    const before = parametersOf(trainer)
    const optimizer = trainer.optimizer({ momentum: 0, weightDecay: 0, proximal: true })
    optimizer.anchor()
    await optimizer.pass(retain, { learningRate: 0.05, batchSize: 70, undoneShare })
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

test('augmentation changes what is seen: shifted, flipped images give other weights, reproducibly', async () => {
  const weights = async (augment: boolean) => {
    const trainer = toyTrainer({ augment })
    await trainer.optimizer(sgd).pass(retain, pass)
    return bytesOf(trainer.state())
  }
  expect(await weights(true)).toEqual(await weights(true))
  expect(await weights(true)).not.toEqual(await weights(false))
})

test('batch norm keeps running statistics: answers do not depend on what else is asked', async () => {
  const trainer = toyTrainer()
  await trainer.optimizer(sgd).pass(retain, pass)
  const all = await trainer.answer(toySplit(90), range(0, 90), 'all')
  const few = await trainer.answer(toySplit(90), range(30, 37), 'few')
  few.forEach((logit, i) => {
    expect(logit).toBeCloseTo(all[300 + i]!, 4)
  })
})

test('a loss that is no longer finite stops the pass with an error that names the learning rate', async () => {
  const optimizer = toyTrainer().optimizer(sgd)
  const diverge = async () => {
    for (let epoch = 0; epoch < 20; epoch++) await optimizer.pass(retain, { learningRate: 1e8, batchSize: 8 })
  }
  await expect(diverge()).rejects.toThrow(DivergenceError)
  await expect(diverge()).rejects.toThrow(/learning rate/)
})

test('an aborted signal stops the pass between chunks and leaves the weights of the last finished pass', async () => {
  const control = new AbortController()
  const trainer = toyTrainer({ signal: control.signal, onProgress: () => control.abort(new Error('stop')) })
  const before = bytesOf(trainer.state())
  await expect(trainer.optimizer(sgd).pass(retain, { ...pass, batchSize: 2 })).rejects.toThrow('stop')
  expect(bytesOf(trainer.state())).toEqual(before)
})
