/** A mask can be put on every method that says so, and keeps the other weights as they were, bit for bit. */
import { describe, expect, test } from 'vitest'
import { type Mask, onesOf } from '../../runner/science/mask.ts'
import type { TaskTypes, Trainer } from '../../runner/science/method.ts'
import { schemaOf } from '../../runner/science/parameters.ts'
import { type MethodCase, methodCases, runMethod, toyOf } from '../support/toy-methods.ts'

const DENSITY = 0.3
const kinds = ['saliency', 'random', 'inverted'] as const
const parametersOf = ({ unlearning }: MethodCase) => schemaOf(unlearning.params).properties as Record<string, unknown>

const masked = methodCases.filter(
  // Steps of SFR-on on D_r move all weights.
  (one) => one.id !== 'sfr-on' && 'mask' in parametersOf(one) && 'density' in parametersOf(one),
)

/** The mask that was made, and which weights moved. */
async function run(one: MethodCase, params: Record<string, unknown>) {
  let made: Mask | undefined
  const watch = (trainer: Trainer<TaskTypes>): Trainer<TaskTypes> => ({
    ...trainer,
    async mask(options) {
      made = await trainer.mask(options)
      return made
    },
  })
  const { weights } = await runMethod(one, params, { watch })
  const { trainer } = toyOf(one.task, {}, one.unlearning.requests)
  const before = trainer.state()
  const moved = trainer.parameters.flatMap(({ name }) =>
    [...weights.get(name)!].map((value, i) => !Object.is(value, (before.get(name)!.data as Float32Array)[i])),
  )
  const free = made && trainer.parameters.flatMap(({ name }) => [...made!.get(name)!])
  await trainer.release()
  return { free, moved }
}

test('a mask can be put on what trains by an optimizer, and on the step of IU', () => {
  const found = masked.map(({ id, task }) => `${id} ${task}`)
  for (const id of ['ga', 'ft', 'l1-sparse', 'neggrad-plus', 'scrub', 'boundary-shrink', 'boundary-expand', 'iu'])
    expect(found).toContain(`${id} classification`)
  for (const id of ['bad-teaching', 'amnesiac', 'amun', 'munba', 'lotus', 'delete', 'salun', 'salun-noise'])
    expect(found).toContain(`${id} classification`)
  for (const id of ['ga', 'ft', 'salun']) expect(found).toContain(`${id} generation`)
})

describe.each(masked.map((one) => [`${one.id} on ${one.task}`, one] as const))('%s', (_, one) => {
  test.each(kinds)('%s frees int(density * N) weights, and the others stay bit for bit', async (mask) => {
    const { free, moved } = await run(one, { mask, density: DENSITY })
    expect(free!.filter(Boolean).length).toBe(onesOf(DENSITY, moved.length))
    expect(moved.filter((is, i) => is && !free![i]).length).toBe(0)
    expect(moved.filter(Boolean).length).toBeGreaterThan(0)
  })

  test.runIf('freeze' in parametersOf(one))(
    'with the gradient alone masked, weight decay moves the others',
    async () => {
      const how = { mask: 'random', density: DENSITY, freeze: 'gradient', weightDecay: 0.1 }
      const { free, moved } = await run(one, how)
      expect(moved.filter((is, i) => is && !free![i]).length).toBeGreaterThan(moved.length / 2)
    },
  )

  test('without a mask none is made', async () => {
    const { free, moved } = await run(one, { mask: 'none' })
    expect(free).toBe(undefined)
    expect(moved.filter(Boolean).length).toBeGreaterThan(0)
  })
})
