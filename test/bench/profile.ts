/** Where a training step spends its time: each op of the forward pass, the backward pass and the update, beside the least time
 *  that the machine's own peaks allow it. */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Graph, Value } from '../../runner/engine/onnx/graph.ts'
import { onnxruntimeVersion, openSession } from '../../runner/engine/onnx/session.ts'
import { sizeOf } from '../../runner/engine/onnx/tensor.ts'
import { BATCH, type BenchCase, cases } from './cases.ts'
import { type KernelTime, kernelTimes } from './kernel-times.ts'
import { measureRoofline, type Roofline } from './roofline.ts'
import { summarize, tableOf } from './summary.ts'

type Phase = 'forward' | 'backward' | 'update'

const RUNS = 3

/** Which phase a node of the loop's body belongs to, by name. The update begins where the learning rate is read; what the losses
 *  need before that is the forward pass. */
function phasesOf(program: Graph): Map<string, Phase> {
  const { body: attribute } = program.nodes.find(({ op }) => op === 'Loop')!.attributes
  const body = (attribute as { value: Graph }).value
  const update = body.nodes.findIndex(({ op, inputs }) => op === 'Gather' && inputs[0]?.name === 'rates')
  const needed = new Set<Value | null>([body.outputs.at(-1)!])
  const phases = new Map<string, Phase>()
  for (const [index, { inputs, outputs }] of [...body.nodes.entries()].reverse()) {
    const inForward = outputs.some((output) => needed.has(output))
    if (inForward) for (const input of inputs) needed.add(input)
    phases.set(outputs[0]!.name, index >= update ? 'update' : inForward ? 'forward' : 'backward')
  }
  return phases
}

/** onnxruntime renames what it fuses, and inserts nodes of its own: those go with what runs next. */
function withPhases(times: readonly KernelTime[], phases: ReadonlyMap<string, Phase>) {
  let next: Phase = 'update'
  return [...times]
    .reverse()
    .filter(({ op }) => op !== 'Loop')
    .map((time) => {
      const [, inlined] = /^_inlfunc_([A-Za-z]+)/.exec(time.node) ?? []
      const name = time.node.replace(/^fused /, '').replace(/(_new_reshape|_nchwc|\/.*)$/, '')
      next = phases.get(name) ?? (inlined ? (inlined.includes('Grad') ? 'backward' : 'forward') : next)
      return { ...time, phase: next }
    })
}

/** Multiplications and additions of a node that is made of them. */
function flopsOf({ op, inputs: [a = [], b = []], outputs: [y = []] }: KernelTime): number {
  if (op === 'Conv' || op === 'FusedConv') return 2 * sizeOf(y) * sizeOf(b.slice(1))
  if (op === 'ConvTranspose') return 2 * sizeOf(a) * sizeOf(b.slice(1))
  return /MatMul|Gemm/.test(op) ? 2 * sizeOf(a) * y.at(-1)! : 0
}

interface Row {
  phase: Phase
  op: string
  nodes: number
  ms: number
  flops: number
  bytes: number
}

/** One row per phase and op; each node counts with the median of its times. */
function rowsOf(times: readonly (KernelTime & { phase: Phase })[]): Row[] {
  const byNode = Map.groupBy(times, ({ node }) => node)
  const rows = new Map<string, Row>()
  for (const runs of byNode.values()) {
    const [one] = runs as [KernelTime & { phase: Phase }]
    const { phase, op } = one
    const row = rows.get(`${phase} ${op}`) ?? { phase, op, nodes: 0, ms: 0, flops: 0, bytes: 0 }
    row.nodes++
    row.ms += summarize(runs.map(({ ms }) => ms)).median
    row.flops += flopsOf(one)
    // A Reshape moves nothing.
    if (op !== 'Reshape')
      row.bytes += 4 * [...one.inputs, ...one.outputs].reduce((sum, shape) => sum + sizeOf(shape), 0)
    rows.set(`${phase} ${op}`, row)
  }
  return [...rows.values()].sort((a, b) => b.ms - a.ms)
}

function report({ name }: BenchCase, rows: readonly Row[], { gflops, gigabytes }: Roofline): string {
  const least = ({ flops, bytes }: Row) => Math.max(flops / gflops, bytes / gigabytes) / 1e6
  const sum = (list: readonly Row[], of: (row: Row) => number) => list.reduce((total, row) => total + of(row), 0)
  const total = sum(rows, ({ ms }) => ms)
  const share = (ms: number) => `${((100 * ms) / total).toFixed(1)}%`
  const blocks = (['forward', 'backward', 'update'] as const).map((phase) => {
    const own = rows.filter((row) => row.phase === phase)
    const all = sum(own, ({ ms }) => ms)
    const shown = own.filter(({ ms }) => ms >= total / 200)
    const lines = shown.map((row) => [
      `  ${row.op}`,
      `${row.nodes}`,
      row.ms.toFixed(2),
      share(row.ms),
      row.flops > 0 ? (row.flops / row.ms / 1e6).toFixed(0) : '',
      (row.bytes / row.ms / 1e6).toFixed(1),
      least(row).toFixed(2),
    ])
    const rest = all - sum(shown, ({ ms }) => ms)
    return [
      [phase, `${sum(own, ({ nodes }) => nodes)}`, all.toFixed(2), share(all), '', '', sum(own, least).toFixed(2)],
      ...lines,
      ['  others', '', rest.toFixed(2), share(rest), '', '', ''],
    ]
  })
  const header = ['op', 'nodes', 'ms', 'share', 'GFLOP/s', 'GB/s', 'least ms']
  return `${name}: ${total.toFixed(1)} ms in kernels a step\n${tableOf(header, blocks.flat())}`
}

const { values } = parseArgs({
  options: { threads: { type: 'string', default: '0' }, only: { type: 'string' } },
})
const threads = Number(values.threads) || availableParallelism()
const chosen = [...cases].filter(([id]) => !values.only || values.only.split(',').includes(id))
if (chosen.length === 0) throw new Error(`no case is named ${values.only}; known: ${[...cases.keys()].join(', ')}`)

const peaks = await measureRoofline(threads)
console.log(
  `batch ${BATCH}, ${cpus()[0]?.model}, ${threads} threads, onnxruntime ${onnxruntimeVersion()}; ` +
    `peaks: ${peaks.gflops.toFixed(0)} GFLOP/s in a matrix product, ${peaks.gigabytes.toFixed(1)} GB/s in a sum of long vectors`,
)
for (const [, bench] of chosen) {
  const program = bench.program()
  const steps = Math.max(1, Math.ceil(bench.steps / 10))
  const feeds = bench.feeds(steps)
  const times = await kernelTimes(async (profilePrefix) => {
    const session = await openSession(program, { threads, profilePrefix })
    for (let i = 0; i < RUNS; i++) await session.run(feeds)
    await session.release()
  })
  console.log(`\n${report(bench, rowsOf(withPhases(times, phasesOf(program))), peaks)}`)
}
