/** ONNX's own test cases of single nodes, read, folded, inferred and run as those of a classifier are. */
import { describe, expect, test } from 'vitest'
import { nodeClaims } from '../support/onnx-node-claims.ts'
import { runNodeCase } from '../support/onnx-node-run.ts'

const { claimed, excluded, otherOps, left, notClaimed } = nodeClaims()

describe('a case of ONNX gives what it expects', () => {
  test.each(claimed)('$name', async (own) => {
    expect(await runNodeCase(own, { known: false })).toEqual({ faults: [], folded: expect.any(Boolean) })
  })
})

describe('a case of ONNX gives what it expects where all is known', () => {
  test.each(claimed)('$name', async (own) => {
    expect(await runNodeCase(own, { known: true })).toEqual({ faults: [], folded: expect.any(Boolean) })
  })
})

describe('what is not claimed is listed with its reason:', () => {
  const listed = (reasons: Record<string, string>) => Object.keys(reasons).sort()
  test('every op without a rule', () => {
    expect([...otherOps.keys()].sort()).toEqual(listed(notClaimed.ops))
  })
  test('every case of an op that has one', () => {
    expect([...excluded.keys()].sort()).toEqual(listed(notClaimed.cases))
  })
  test('every kind of case that was not packed', () => {
    expect([...left.keys()].sort()).toEqual(listed(notClaimed.left))
  })
  test('how many', () => {
    const count = (lists: Map<string, unknown[]>) => [...lists.values()].reduce((sum, list) => sum + list.length, 0)
    const notPacked = [...left.values()].reduce((sum, number) => sum + number)
    expect(claimed.length + count(excluded) + count(otherOps) + notPacked).toBe(1884)
    expect({ claimed: claimed.length, excluded: count(excluded), otherOps: count(otherOps), notPacked }).toEqual({
      claimed: 872,
      excluded: 30,
      otherOps: 182,
      notPacked: 800,
    })
  })
})

describe('no case is left out that would pass', () => {
  test.each([...excluded.values()].flat())('$name', async (own) => {
    const passes = await runNodeCase(own, { known: false }).then(
      ({ faults }) => faults.length === 0,
      () => false,
    )
    expect(passes).toBe(false)
  })
})
