/** Writes docs/onnx-ops.md: what of ONNX the graph of a classifier may hold, and how many of ONNX's own test cases hold us to it. The
 *  test of these cases fails where one of them does not pass. */
import { standardRules } from '../runner/engine/autodiff/differentiate.ts'
import * as shapeRules from '../runner/engine/onnx/shapes/index.ts'
import { decomposed } from '../runner/engine/reading/add-op.ts'
import { claimedOps, foldedOps, type NodeClaims, nodeClaims, successors } from '../test/support/onnx-node-claims.ts'
import { line } from './features.ts'
import type { Generated } from './generated.ts'

const code = (word: string) => `\`${word}\``
const table = (columns: string[], rows: string[][]) => [
  line(columns),
  `|${'---|'.repeat(columns.length)}`,
  ...rows.map((row) => line(row)),
]

/** How an op comes into a graph, and what its gradient is. */
function stateOf(op: string): [how: string, gradient: string] {
  if (op in decomposed) return ['written as others', 'follows from those']
  if (successors[op]) return [`as ${code(successors[op])}`, 'rule']
  return [op in shapeRules ? 'as it is' : '', standardRules[op] ? 'rule' : '']
}

const sizes = (lists: Map<string, readonly unknown[]>) => new Map([...lists].map(([key, list]) => [key, list.length]))
const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0)

/** One paragraph, for FEATURES.md as well. */
export function nodeSummary({ onnx, claimed, excluded, otherOps, left }: NodeClaims): string {
  const all = claimed.length + total(sizes(excluded)) + total(sizes(otherOps)) + total(left)
  const rest = all - claimed.length
  return `${claimedOps.length} ops. Of the ${all} node tests of onnx ${onnx}, ${claimed.length} are claimed, and all of them pass: read, folded, inferred and run as the nodes of a classifier are. The other ${rest} are listed with their reasons.`
}

export function onnxOps(): Generated {
  const claims = nodeClaims()
  const { claimed, excluded, otherOps, left, notClaimed } = claims
  const passing = (op: string) => claimed.filter((own) => own.op === op).length
  const missing = (reasons: Record<string, string>, counts: Map<string, number>) =>
    Object.entries(reasons).map(([key, reason]) => [code(key), String(counts.get(key) ?? 0), reason])
  const lines = [
    '# ONNX ops',
    '',
    nodeSummary(claims),
    '',
    'An op stands in a graph as it is, with a shape rule of `runner/engine/onnx/shapes/`, or is written as others while the file is',
    'read, by `runner/engine/decompositions/`. Without a gradient it passes none to a parameter, and is refused where one needs it.',
    'This page is written by `npm run docs`; the cases are those of `test/golden/onnx-node`.',
    '',
    ...table(
      ['op', 'stands in a graph', 'gradient', 'computed where all is known', 'cases that pass'],
      claimedOps.map((op) => [code(op), ...stateOf(op), foldedOps.has(op) ? 'yes' : '', String(passing(op) || '')]),
    ),
    '',
    '## Cases that are not claimed',
    '',
    'Of ops above:',
    '',
    ...table(['cases', 'how many', 'why'], missing(notClaimed.cases, sizes(excluded))),
    '',
    'Of other ops:',
    '',
    ...table(['op', 'cases', 'why'], missing(notClaimed.ops, sizes(otherOps))),
    '',
    'By what they hold:',
    '',
    ...table(['holds', 'cases', 'why'], missing(notClaimed.left, left)),
  ]
  return { path: 'docs/onnx-ops.md', content: `${lines.join('\n')}\n`, faults: [] }
}
