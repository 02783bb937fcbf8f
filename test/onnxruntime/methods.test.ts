/** Every method of the folder keeps the contract: it runs on a toy, repeats under a seed, stops on abort, and goes on from a
 *  checkpoint as if it had never stopped. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { randomStream } from '../../runner/engine/nn/random.ts'
import type { StageTrainer } from '../../runner/engine/training/trainer.ts'
import type { MethodDefinition } from '../../runner/science/method.ts'
import * as methods from '../../runner/science/methods/index.ts'
import { drawLabels } from '../../runner/science/methods/parts/relabel.ts'
import { checkpointOf } from '../../runner/store/checkpoint.ts'
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

  test('stopped anywhere and continued, comes to the same weights and losses', async () => {
    const home = await mkdtemp(join(tmpdir(), 'palimpsest-'))
    const uninterrupted = toyTrainer({ augment: true })
    const whole = await forgetWith(method, uninterrupted, { epochs: 3 })
    // Each attempt gets a little further; a pass of more than one batch is stopped in its middle, and at its end.
    let attempts = 0
    let ended: unknown
    let trainer = uninterrupted
    for (; ended === undefined && attempts < 30; attempts++) {
      const stop = new AbortController()
      let steps = 0
      trainer = toyTrainer({
        augment: true,
        checkpoint: checkpointOf(home, 'half', { everyMs: 0 }),
        signal: stop.signal,
        onProgress: ({ phase }) => phase !== 'mask' && ++steps === 2 && stop.abort(new Error('half-way')),
      })
      const attempt = forgetWith(method, trainer, { epochs: 3 })
      ended = await attempt.catch((error: Error) => {
        expect(error.message).toBe('half-way')
      })
    }
    expect(attempts).toBeGreaterThan(1)
    expect(ended).toEqual(whole)
    expect(trainer.losses()).toEqual(uninterrupted.losses())
    await rm(home, { recursive: true })
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
