/** Parameters that act only beside certain values of others. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { acting, actingWith, addedLater } from '../../runner/science/acting.ts'
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

describe('a parameter that came later', () => {
  const grown = acting(
    z.strictObject({
      mode: addedLater(z.enum(['plain', 'fine']).default('plain').describe('How it goes.')),
      grain: actingWith(z.number().default(0.5), { mode: ['fine'] }),
    }),
  )

  test('is left out of what is parsed where it does what was done before', () => {
    expect(grown.parse({})).toEqual({})
    expect(grown.parse({ mode: 'plain' })).toEqual({})
    expect(grown.parse({ mode: 'fine' })).toEqual({ mode: 'fine', grain: 0.5 })
  })

  test('is listed with its default, which refusals name', () => {
    const listed = { name: 'mode', type: 'plain | fine', range: '', default: 'plain', description: 'How it goes.' }
    expect(parametersOf(grown)[0]).toEqual(listed)
    expect(describeIssues(grown.safeParse({ grain: 1 }).error!, { grain: 1 }, [])).toMatch(/where mode is plain/)
  })

  const sgd = { epochs: 10, learningRate: 0.01, batchSize: 256, momentum: 0.9, weightDecay: 5e-4 }
  const adam = { steps: 1000, learningRate: 1e-4, batchSize: 128, clipNorm: 1, dropCondition: 0.1 }
  test.each([
    ['ft', 'classification', sgd],
    ['ga', 'classification', { ...sgd, epochs: 5, learningRate: 1e-4 }],
    ['l1-sparse', 'classification', { ...sgd, gamma: 5e-5, epochsWithoutL1: 0 }],
    [
      'neggrad-plus',
      'classification',
      {
        ...{ ...sgd, batchSize: 128, momentum: 0, weightDecay: 0 },
        ...{ forgetBatchSize: 32, beta: 0.9999, batchNorm: 'batch', pull: 0 },
      },
    ],
    [
      'scrub',
      'classification',
      {
        ...{ ...sgd, epochs: 3, learningRate: 5e-4, batchSize: 128 },
        ...{ maxSteps: 2, forgetBatchSize: 32, alpha: 0.001, gamma: 0.99, temperature: 4 },
        ...{ decayAfter: [3, 5, 9], decay: 0.1 },
      },
    ],
    ['ft', 'generation', adam],
    ['ga', 'generation', { ...adam, alpha: 0 }],
  ])(
    'leaves the parameters of %s on %s, and with them the keys of its stages, as they were in 0.2.0',
    (id, task, before) => {
      const { version, on } = methods.get(id)!
      expect(on[task]!.params.parse({})).toEqual(before)
      expect(on[task]!.params.parse({ mask: 'none' })).toEqual(before)
      expect(version).toBe(1)
    },
  )
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
