/** The self-test of a machine: its known values are PyTorch's, and the engine meets them. */
import { expect, test } from 'vitest'
import { known, runSelfTest, TOLERANCE } from '../../runner/probe/self-test.ts'
import { canonicalJson, sha256Hex } from '../../schema/parts/hash.ts'
import { SELF_TEST_SHA256 } from '../../schema/probe.ts'
import { goldenJson } from '../runner/golden.ts'

const { losses, state } = goldenJson('self-test/reference.json') as {
  losses: number[]
  state: Record<string, number[]>
}
const expected = { loss: losses, ...state }

test("the known result is PyTorch's, to six decimals", () => {
  const rounded = Object.entries(expected).map(([name, values]) => [
    name,
    values.map((value) => Number(value.toFixed(6))),
  ])
  expect(known).toEqual(Object.fromEntries(rounded))
})

test.each([1, 2])('the engine passes with %i threads, far below the tolerance', async (threads) => {
  const { passed, largestDifference, sha256 } = await runSelfTest({ threads })
  expect(passed).toBe(true)
  expect(largestDifference).toBeLessThan(TOLERANCE / 100)
  expect(sha256).toBe(SELF_TEST_SHA256)
})

test('the hash is that of the known values in their order, each with six decimals', async () => {
  const values = [losses, ...Object.values(state)].flat().map((value) => value.toFixed(6))
  expect(await sha256Hex(canonicalJson(values))).toBe(SELF_TEST_SHA256)
})
