/** Search spaces: the words that say them, the points that are drawn, and those that methods declare. */
import { expect, test } from 'vitest'
import { benchmarks } from '../../runner/pipeline/catalogue.ts'
import { choicesIn } from '../../runner/pipeline/sweep.ts'
import { methods, offeredBy } from '../../runner/science/catalogue/catalogue.ts'
import { settingsOf } from '../../runner/science/catalogue/settings.ts'
import { halton } from '../../runner/science/low-discrepancy.ts'
import { paramsFor } from '../../runner/science/method.ts'
import { parametersOf } from '../../runner/science/parameters.ts'
import { type Dimension, dimensionOf, dimensionText, gridOf, pointsOf } from '../../runner/science/search.ts'

const quickstart = benchmarks.get('fashion-mnist-5k.small-cnn.random-10')!
const paramsOf = (id: string) => paramsFor(methods.get(id)!, 'classification')!
const space = (id: string, words: Record<string, string>): Dimension[] =>
  Object.entries(words).map(([name, text]) => dimensionOf(paramsOf(id), name, text))

test('the points are those of SciPy: scipy.stats.qmc.Halton(scramble=False) without its first, which is 0', () => {
  const points = (dimension: number) => [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => halton(number, dimension))
  const expected = [
    [1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8, 7 / 8, 1 / 16, 9 / 16],
    [1 / 3, 2 / 3, 1 / 9, 4 / 9, 7 / 9, 2 / 9, 5 / 9, 8 / 9, 1 / 27],
    [0.2, 0.4, 0.6, 0.8, 0.04, 0.24, 0.44, 0.64, 0.84],
    [1 / 7, 2 / 7, 3 / 7, 4 / 7, 5 / 7, 6 / 7, 1 / 49, 8 / 49, 15 / 49],
  ]
  for (const [dimension, own] of expected.entries())
    for (const [at, value] of points(dimension).entries()) expect(value).toBeCloseTo(own[at]!, 14)
  const hundredth = [
    0.1484375, 0.4115226337448559, 0.032, 0.29154518950437314, 0.1652892561983471, 0.7337278106508875,
    0.8996539792387543, 0.27700831024930744,
  ]
  for (const [dimension, value] of hundredth.entries()) expect(halton(100, dimension)).toBeCloseTo(value, 14)
})

test.each([
  ['1e-4..1e-1', 'log:0.0001..0.1'],
  ['0.01..0.05', 'lin:0.01..0.05'],
  ['log:0.01..0.05', 'log:0.01..0.05'],
  ['lin:1e-4..1e-1', 'lin:0.0001..0.1'],
  ['.001..1.', 'log:0.001..1'],
  ['1e-3,1e-2', '0.001,0.01'],
  ['0.3', '0.3'],
])('learningRate=%s is %s', (text, expected) => {
  expect(dimensionText(dimensionOf(paramsOf('salun'), 'learningRate', text))).toBe(expected)
})

test.each([
  ['salun', 'learningRate', '1e-1..1e-4', /from the smaller end to the larger/],
  ['salun', 'learningRate', 'log:-1..1', /logarithms need ends above 0/],
  ['salun', 'learningRate', 'exp:1..2', /expected lin: or log: before a range, got exp:/],
  ['salun', 'labels', '1..2', /a range is of numbers, and labels takes any \| wrong; give values/],
  ['salun', 'epochs', '1.5..3', /expected whole numbers, which is what epochs takes/],
  ['salun', 'density', '0.3,0.30', /expected different values/],
])('%s %s=%s is refused', (id, name, text, message) => {
  expect(() => dimensionOf(paramsOf(id), name, text)).toThrow(message)
})

test('a comma parts values, unless the parameter takes the whole as one', () => {
  const values = (id: string, name: string, text: string) => {
    const dimension = dimensionOf(paramsOf(id), name, text)
    return dimension.kind === 'values' ? dimension.values : null
  }
  expect(values('negmerge', 'learningRates', '[0.1,0.03]')).toEqual([[0.1, 0.03]])
  expect(values('negmerge', 'learningRates', '[0.1,0.03],[0.1,0.01]')).toEqual([
    [0.1, 0.03],
    [0.1, 0.01],
  ])
  expect(values('salun', 'labels', 'any,wrong')).toEqual(['any', 'wrong'])
  expect(values('salun', 'epochs', '3,5')).toEqual([3, 5])
})

test('a grid is every combination; a range has none', () => {
  const grid = gridOf(space('salun', { learningRate: '0.01,0.1', density: '0.3,0.5', epochs: '2' }))
  expect(grid).toEqual([
    { learningRate: 0.01, density: 0.3, epochs: 2 },
    { learningRate: 0.01, density: 0.5, epochs: 2 },
    { learningRate: 0.1, density: 0.3, epochs: 2 },
    { learningRate: 0.1, density: 0.5, epochs: 2 },
  ])
  expect(() => gridOf(space('salun', { density: '0.1..0.9' }))).toThrow(/density: a grid needs values/)
})

test('points lie in their ranges: by logarithms, in whole numbers, among values', () => {
  const all = space('salun', { learningRate: '1e-3..1e-1', epochs: '2..4', labels: 'any,wrong', batchSize: '64' })
  const drawn = (place: number) => pointsOf(all, 1, () => place)[0]
  expect(drawn(0.5)).toEqual({ learningRate: 0.01, epochs: 3, labels: 'wrong', batchSize: 64 })
  expect(drawn(0)).toEqual({ learningRate: 0.001, epochs: 2, labels: 'any', batchSize: 64 })
  expect(drawn(0.999999)).toEqual({ learningRate: 0.1, epochs: 4, labels: 'wrong', batchSize: 64 })
})

test('more trials keep the points of fewer, and both samplers repeat', () => {
  const all = space('salun', { learningRate: '1e-3..1e-1', density: '0.1..0.9' })
  for (const sampler of ['halton', 'random'] as const) {
    const [few, many] = [3, 7].map((trials) => choicesIn(all, { method: 'salun', trials, sampler }))
    expect(many).toHaveLength(7)
    expect(many!.slice(0, 3)).toEqual(few)
  }
  // The first of base 2 and of base 3, in three digits: 10^-2, and a third of the way from 0.1 to 0.9.
  expect(choicesIn(all, { method: 'salun', trials: 1, sampler: 'halton' })).toEqual([
    { learningRate: 0.01, density: 0.367 },
  ])
})

test('a value that does not act beside the others is left out, and what is then alike is tried once', () => {
  const choices = gridOf(space('ft', { mask: 'none,random', density: '0.3,0.5' }))
  const found = settingsOf(quickstart, 'ft', choices)
  expect('settings' in found && found.settings.map(({ choice }) => choice)).toEqual([
    { mask: 'none' },
    { mask: 'random', density: 0.3 },
    { mask: 'random', density: 0.5 },
  ])
})

const declared = [...methods].flatMap(([id, method]) =>
  offeredBy(method).flatMap(({ task, params }) => {
    const { search } = method.on[task] ?? {}
    return search ? [{ id, task, params, search: Object.entries(search) as [string, string][] }] : []
  }),
)

test.each(declared)('what $id declares to search is taken by its parameters ($task)', ({ params, search }) => {
  for (const [name, text] of search) {
    expect(parametersOf(params).map((parameter) => parameter.name)).toContain(name)
    const dimension = dimensionOf(params, name, text)
    const ends = dimension.kind === 'range' ? [dimension.low, dimension.high] : dimension.values
    expect(ends.length).toBeGreaterThan(1)
    for (const end of ends)
      expect(params.safeParse({ [name]: end }).error?.issues.filter(({ path }) => path[0] === name) ?? []).toEqual([])
  }
})

test('every method of classifiers that is no training declares a space', () => {
  const without = [...methods].filter(
    ([, { trainsOn, on }]) => !trainsOn && on.classification && !on.classification.search,
  )
  expect(without.map(([id]) => id)).toEqual([])
})
