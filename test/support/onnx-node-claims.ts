/** Which of ONNX's own test cases we claim to pass, and why not the others: by op, by case, or by what kept them out of the pack. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import * as folds from '../../runner/engine/folding/index.ts'
import * as shapeFolds from '../../runner/engine/folding/shape.ts'
import * as shapeRules from '../../runner/engine/onnx/shapes/index.ts'
import { decomposed } from '../../runner/engine/reading/add-op.ts'
import { refusedOps } from '../../runner/engine/reading/refused-ops.ts'
import { type NodeCase, nodeCases } from './onnx-node-cases.ts'

const reasons = z.record(z.string(), z.string().min(1))
const notClaimedShape = z.strictObject({ ops: reasons, cases: reasons, left: reasons })

/** Ops of older opsets that reading turns into their successors. */
export const successors: Readonly<Record<string, string>> = { Scatter: 'ScatterElements', Upsample: 'Resize' }

/** Ops that are computed while a file is read, where what they ask for is known. */
export const foldedOps: ReadonlySet<string> = new Set([...Object.keys(folds), ...Object.keys(shapeFolds)])

/** Ops that the file of a classifier may hold. */
export const claimedOps: readonly string[] = [
  ...new Set([...Object.keys(shapeRules), ...Object.keys(decomposed), ...Object.keys(successors), ...foldedOps]),
].sort()

export interface NodeClaims {
  /** Version of the package that the cases are from. */
  onnx: string
  claimed: NodeCase[]
  /** Cases of claimed ops that we do not claim, by the pattern that names them. */
  excluded: Map<string, NodeCase[]>
  /** Cases of other ops, by op. */
  otherOps: Map<string, NodeCase[]>
  /** Cases of which the pack holds the names only, by what kept them out. */
  left: Map<string, number>
  /** The reasons, by the same keys. */
  notClaimed: z.infer<typeof notClaimedShape>
}

export function nodeClaims(): NodeClaims {
  const table = new URL('../golden/onnx-node/not-claimed.json', import.meta.url)
  const notClaimed = notClaimedShape.parse(JSON.parse(readFileSync(table, 'utf8')))
  const patterns = Object.keys(notClaimed.cases).map((pattern) => ({
    pattern,
    matches: new RegExp(`^${pattern.replaceAll('*', '.*')}$`),
  }))
  const { onnx, cases, left } = nodeCases()
  const [excluded, otherOps] = [new Map<string, NodeCase[]>(), new Map<string, NodeCase[]>()]
  const claimed: NodeCase[] = []
  const note = (map: Map<string, NodeCase[]>, key: string, own: NodeCase) =>
    map.set(key, [...(map.get(key) ?? []), own])
  for (const own of cases) {
    const pattern = patterns.find(({ matches }) => matches.test(own.name))?.pattern
    if (!claimedOps.includes(own.op)) note(otherOps, own.op, own)
    else if (pattern) note(excluded, pattern, own)
    else claimed.push(own)
  }
  const counts = new Map<string, number>()
  for (const { reason } of left) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  // A refusal says itself why its op is not claimed.
  const refused = Object.entries(refusedOps).filter(([op]) => otherOps.has(op))
  const ops = { ...notClaimed.ops, ...Object.fromEntries(refused) }
  return { onnx, claimed, excluded, otherOps, left: counts, notClaimed: { ...notClaimed, ops } }
}
