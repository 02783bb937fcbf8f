/** What can be asked to be forgotten: one canonical form each, and stages whose keys are those of before. */
import { expect, test } from 'vitest'
import { aimOf, benchmark as benchmarkShape } from '../../schema/benchmark.ts'
import { 'fashion-mnist-5k.small-cnn.random-10' as quickstart } from '../../schema/benchmarks/index.ts'
import { suites } from '../../schema/catalogue/catalogue.ts'
import { describeIssues } from '../../schema/issues.ts'
import { canonicalJson } from '../../schema/parts/hash.ts'
import { indexListHash, indexListOf } from '../../schema/parts/index-list.ts'
import { type ForgetRequest, forgetRequest } from '../../schema/parts/recipe.ts'
import { splitCounts } from '../../schema/parts/split-counts.ts'
import { definitionOf, planRun } from '../../schema/plan.ts'
import { stageSpec } from '../../schema/stage.ts'

const hash = 'a'.repeat(64)
const faultsOf = (request: unknown) => {
  const { error } = forgetRequest.safeParse(request)
  return error ? describeIssues(error, request) : 'none'
}
const ft = { id: 'ft', version: 1 }
const keysOf = async (request: ForgetRequest) =>
  (await planRun({ ...quickstart, request }, ft, {}, 0)).map(({ key }) => key.slice(0, 12))

test('requests of before keep the keys of their stages, so what was computed counts', async () => {
  for (const words of ['{"fraction":0.1,"kind":"random"}', '{"kind":"class","label":3}']) {
    const request = forgetRequest.parse(JSON.parse(words))
    const stages = await planRun({ ...quickstart, request }, ft, {}, 0)
    const specs = stages.map(({ spec }) => canonicalJson(stageSpec.parse(spec)))
    expect(specs.map((spec) => spec.includes(`"request":${words}`))).toEqual([false, true, true])
  }
})

test('a number is drawn, or a share of all, of a class as well; not both and not neither', () => {
  expect(forgetRequest.parse({ kind: 'random', count: 500 })).toEqual({ kind: 'random', count: 500 })
  expect(forgetRequest.parse({ kind: 'part', label: 3, fraction: 0.5 })).toMatchObject({ fraction: 0.5 })
  const either = /expected either "fraction", a share of the images, or "count", how many/
  expect(faultsOf({ kind: 'random' })).toMatch(either)
  expect(faultsOf({ kind: 'random', fraction: 0.1, count: 5 })).toMatch(either)
  expect(faultsOf({ kind: 'part', label: 3 })).toMatch(either)
  for (const count of [0, 2 ** 31, 1.5]) expect(faultsOf({ kind: 'random', count })).toMatch(/count: expected/)
})

test('several classes are one request in whatever order they are named', async () => {
  const request = forgetRequest.parse({ kind: 'classes', labels: [7, 1] })
  expect(request).toEqual({ kind: 'classes', labels: [1, 7] })
  expect(faultsOf({ kind: 'classes', labels: [1, 1] })).toMatch(/labels: expected different classes/)
  expect(faultsOf({ kind: 'classes', labels: [1] })).toMatch(/labels: expected at least 2/)
  expect(faultsOf({ kind: 'classes', labels: [1, 2 ** 20] })).toMatch(/labels\.1: expected at most/)
})

test('a list is named by what it lists, not by its file: its place takes no part in a key or definition', async () => {
  const list = indexListOf([5n, 3, 4])
  expect([...list]).toEqual([3, 4, 5])
  // sha256 of 03000000 04000000 05000000.
  expect(await indexListHash(list)).toBe('ce99ae045c8b2a2a8a58fd1a2120956e74e90322eef45f7dfe1ca73eefe655d4')
  const request = { kind: 'items' as const, sha256: hash, count: 3 }
  const placed = { ...request, path: '/tmp/forget.npy' }
  expect(await keysOf(placed)).toEqual(await keysOf(request))
  expect(await definitionOf({ ...quickstart, request: placed })).toBe(await definitionOf({ ...quickstart, request }))
  const [, unlearning] = await planRun({ ...quickstart, request: placed }, ft, {}, 0)
  expect(unlearning!.spec).toMatchObject({ request })
  expect(JSON.stringify(unlearning!.spec)).not.toContain('/tmp')
  expect(faultsOf({ kind: 'items', sha256: 'abc', count: 3 })).toMatch(/sha256: expected 64/)
  expect(() => indexListOf([])).toThrow('expected at least one position, got none')
  expect(() => indexListOf([1, 2, 1])).toThrow('expected every position once, got 1 twice')
  for (const strange of [-1, 0.5, 2 ** 31, Number.NaN])
    expect(() => indexListOf([strange])).toThrow('whole numbers from 0')
})

test('how many are forgotten follows from the request', () => {
  const images = { train: 5000, classes: 10 }
  const forgetOf = (request: ForgetRequest, holdOut = 0) => splitCounts(images, { holdOut, request }).forget
  expect(forgetOf({ kind: 'random', count: 123 })).toBe(123)
  expect(forgetOf({ kind: 'classes', labels: [1, 3, 4] }, 0.1)).toBe(3 * 450)
  expect(forgetOf({ kind: 'part', label: 3, fraction: 0.5 }, 0.1)).toBe(225)
  expect(forgetOf({ kind: 'items', sha256: hash, count: 7 })).toBe(7)
})

test('samples are untrained and classes unlearned, unless a benchmark says otherwise; a suite has one aim', () => {
  const aimWith = (request: unknown, more = {}) => aimOf(benchmarkShape.parse({ ...quickstart, request, ...more }))
  for (const request of [
    { kind: 'random', count: 5 },
    { kind: 'part', label: 1, count: 5 },
    { kind: 'items', sha256: hash, count: 7 },
  ]) {
    expect(aimWith(request)).toBe('untraining')
  }
  for (const request of [
    { kind: 'class', label: 1 },
    { kind: 'classes', labels: [1, 2] },
  ]) {
    expect(aimWith(request)).toBe('unlearning')
    expect(aimWith(request, { aim: 'untraining' })).toBe('untraining')
  }
  for (const { benchmarks } of suites.values()) expect(new Set(benchmarks.map(aimOf)).size).toBe(1)
})
