/** Parameters that act only beside certain values of others. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { acting, actingWith } from '../../runner/science/acting.ts'
import { methods, resolveParams } from '../../runner/science/catalogue/catalogue.ts'
import { parametersOf } from '../../runner/science/parameters.ts'
import { benchmarks } from '../../schema/catalogue/catalogue.ts'
import { describeIssues } from '../../schema/issues.ts'

const params = acting(
  z.strictObject({
    mode: z.enum(['plain', 'fine']).default('plain'),
    grain: actingWith(z.number().gt(0).default(0.5).describe('Size of a grain.'), { mode: ['fine'] }),
  }),
)

test('a parameter has its default only where it acts, and what was filled in is taken again', () => {
  expect(params.parse({})).toEqual({ mode: 'plain' })
  expect(params.parse({ mode: 'fine' })).toEqual({ mode: 'fine', grain: 0.5 })
  expect(params.parse(params.parse({ mode: 'fine', grain: 2 }))).toEqual({ mode: 'fine', grain: 2 })
})

test('where it does nothing it is refused, with the values beside which it acts', () => {
  const input = { grain: 2 }
  expect(describeIssues(params.safeParse(input).error!, input, ['params'])).toBe(
    'params.grain: expected no value where mode is plain: it acts only where that is fine, got 2',
  )
  expect(() => params.parse({ mode: 'fine', grain: 0 })).toThrow(/grain/)
})

test('its sentence says where it acts, and its default is listed', () => {
  expect(parametersOf(params)[1]).toEqual({
    name: 'grain',
    type: 'number',
    range: 'more than 0',
    default: 0.5,
    description: 'Size of a grain. Only where `mode` is `fine`.',
  })
})

test.each([
  ['erasediff', 'generation', { eta: 0.1 }],
  ['erasediff', 'generation', { inner: 3 }],
  ['erasediff', 'generation', { balance: 'adaptive', innerRate: 0.1 }],
  ['erasediff', 'generation', { balance: 'adaptive', lambda: 1 }],
  ['esd', 'generation', { latents: 'noised', latentGuidance: 1 }],
  ['esd', 'generation', { latents: 'noised', latentSteps: 10 }],
  ['salun', 'classification', { mask: 'none', density: 0.2 }],
  ['salun', 'classification', { mask: 'none', freeze: 'gradient' }],
  ['salun', 'generation', { mask: 'random', maskGuidance: 0 }],
])('%s on %s refuses %j', (id, task, given) => {
  const schema = methods.get(id)!.on[task]!.params
  const last = Object.keys(given).at(-1)!
  expect(schema.safeParse(given).error?.issues.map(({ path }) => path[0])).toEqual([last])
})

describe('a preset', () => {
  const benchmark = benchmarks.get('fashion-mnist-5k-16.ddpm-unet.class-0')!

  test('is let go where a submission asks for a mode in which it does nothing', () => {
    expect(benchmark.presets.esd).toHaveProperty('latentSteps')
    const { latents, steps, ...rest } = values({ latents: 'noised' })
    expect({ latents, steps }).toEqual({ latents: 'noised', steps: benchmark.presets.esd!.steps })
    expect(rest).not.toHaveProperty('latentSteps')
  })

  test('does not excuse a value of the submission', () => {
    expect(resolveParams(benchmark, 'esd', { latents: 'noised', latentSteps: 5 })).toMatchObject({
      refusal: { code: 'invalid_parameters', message: expect.stringContaining('latentSteps: expected no value') },
    })
  })

  function values(own: Record<string, unknown>): Record<string, unknown> {
    const found = resolveParams(benchmark, 'esd', own)
    if ('refusal' in found) throw new Error(found.refusal.message)
    return found.values
  }
})
