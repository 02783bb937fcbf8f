/** Every method of the folder keeps the contract: it runs on a toy, repeats under a seed, and stops on abort. */
import { describe, expect, test } from 'vitest'
import type { MethodDefinition } from '../../runner/method.ts'
import * as methods from '../../runner/methods/index.ts'
import { randomStream } from '../../runner/nn/random.ts'
import type { StageTrainer } from '../../runner/pipeline/trainer.ts'
import { drawLabels } from '../../runner/relabel.ts'
import { range, toySplit, toyTrainer } from '../support/toy.ts'

const { labels } = toySplit(90)

async function forgetWith(method: MethodDefinition, trainer: StageTrainer, params: Record<string, unknown> = {}) {
  const known = method.params.parse({ epochs: 2, batchSize: 32, ...params })
  await method.run!({
    params: known,
    trainer,
    forget: range(0, 20),
    retain: range(20, 90),
    labels,
    classes: 10,
    random: randomStream(0, 'labels'),
  })
  return [...trainer.state()].map(([name, { data }]) => [name, Array.from(data as Float32Array)])
}

describe.each(Object.entries(methods as Record<string, MethodDefinition>))('%s', (id, method) => {
  test('has a title, a sentence and parameters with defaults', () => {
    expect(method.title).toBeTruthy()
    expect(method.summary).toMatch(/\.$/)
    expect(method.params.parse({})).toBeTypeOf('object')
    expect(id).toMatch(/^[a-z0-9-]+$/)
  })

  test('either trains or runs', () => {
    expect(Boolean(method.run || method.generation)).not.toBe(Boolean(method.trainsOn))
  })

  test('refuses a parameter it does not know', () => {
    expect(() => method.params.parse({ nonsense: 1 })).toThrow(/nonsense/)
  })

  if (!method.run) return

  test('moves the weights to finite values, the same under the same seed', async () => {
    const before = [...toyTrainer().state()].map(([name, { data }]) => [name, Array.from(data as Float32Array)])
    const once = await forgetWith(method, toyTrainer())
    expect(once).not.toEqual(before)
    expect(once.flatMap(([, data]) => data as number[]).every(Number.isFinite)).toBe(true)
    expect(await forgetWith(method, toyTrainer())).toEqual(once)
  })

  test('stops on abort', async () => {
    await expect(forgetWith(method, toyTrainer({ signal: AbortSignal.abort(new Error('stop')) }))).rejects.toThrow(
      'stop',
    )
  })
})

test.each(['random', 'inverted', 'saliency', 'none'])('salun runs with the mask %s', async (mask) => {
  await forgetWith(methods.salun, toyTrainer(), { mask })
})

test('salun without a mask is rl', async () => {
  expect(await forgetWith(methods.salun, toyTrainer(), { mask: 'none' })).toEqual(
    await forgetWith(methods.rl, toyTrainer()),
  )
})

test('mixed passes train on D_f and D_r together', async () => {
  expect(await forgetWith(methods.rl, toyTrainer(), { passes: 'mixed' })).not.toEqual(
    await forgetWith(methods.rl, toyTrainer()),
  )
})

test('wrong labels are never the true ones and uniform over the others; any labels sometimes are', () => {
  const items = Int32Array.from({ length: 9000 }, (_, i) => i % 90)
  const truth = Array.from(items, (item) => labels[item]!)
  const wrong = drawLabels(items, labels, 10, 'wrong', randomStream(3, 'labels'))
  expect(truth.filter((label, i) => label === wrong[i]).length).toBe(0)
  const any = drawLabels(items, labels, 10, 'any', randomStream(3, 'labels'))
  // 9,000 draws hit the true label with p = 0.1: 900 expected, standard deviation 28.5; five of them either way.
  expect(Math.abs(truth.filter((label, i) => label === any[i]).length - 900)).toBeLessThan(143)
})
