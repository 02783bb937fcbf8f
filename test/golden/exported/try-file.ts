/** Tries one file of the corpus in a process of its own: reads it, answers, takes the gradients of one batch, and says how that
 *  compares with PyTorch. Arguments: folder, name of the model, way. Prints one line of JSON. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { differentiate } from '../../../runner/engine/autodiff/differentiate.ts'
import { networkOfModel } from '../../../runner/engine/nn/exported.ts'
import { initialState } from '../../../runner/engine/nn/initial-state.ts'
import type { Network } from '../../../runner/engine/nn/network.ts'
import { addInput, addOutput, newGraph, type Value } from '../../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../../runner/engine/onnx/ops.ts'
import { openSession, type Session } from '../../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Tensor } from '../../../runner/engine/onnx/tensor.ts'
import { crossEntropy } from '../../../runner/engine/training/losses.ts'
import { distance, type Sketched, uniforms } from '../../onnxruntime/uniform.ts'

export type Statistics = 'batch' | 'running'

/** What corpus.py writes of a model. */
export interface Reference {
  name: string
  from: string
  side: number
  classes: number
  parameters: number
  made: string
  logits: number[]
  losses: Record<Statistics, number>
  single: Record<Statistics, number>
  ways: Record<
    string,
    { error: string } | { opset: number; tensors: Record<string, LearnedTensor>; elsewhere: string[] }
  >
}
type LearnedTensor = { from: string } & Partial<Record<Statistics, Omit<Sketched, 'shape'>>>

export interface Trial {
  state: 'trained' | 'wrong' | 'refused' | 'failed'
  /** What was refused or is wrong. */
  message: string
  statistics?: Statistics
  /** Relative errors: of the logits, and the largest of a gradient. */
  logits?: number
  gradient?: number
  /** Where that is above 1e-4: how far rounding alone moves a gradient. */
  rounding?: number
  decisions?: readonly string[]
  /** Seconds of reading, of building and differentiating a step, and of compiling it. */
  seconds?: { read: number; build: number; compile: number }
}

const BATCH = 8
const [IMAGES, LABELS, SKETCH] = [31, 32, 33]
/** A bias in front of batch norm has the gradient 0, which has no relative error. */
const SMALLEST = 1e-2
const TOLERANCE = 1e-4
/** An error is rounding below so many times what PyTorch's own single precision rounds off, or a millionth in the images moves. */
const ROUNDING = 3

const relative = (a: number[], b: number[]) => Math.hypot(...a.map((entry, i) => entry - b[i]!)) / Math.hypot(...b)
const some = (names: string[]) => (names.length > 3 ? `${names.slice(0, 3)} and ${names.length - 3} more` : `${names}`)
const say = (trial: Trial) => console.log(JSON.stringify(trial))

/** A graph over the network's variables, which are named by number, since a file may name a tensor as it likes. */
function over(network: Network, build: (ops: ReturnType<typeof opsFor>, x: Value, values: Map<string, Value>) => void) {
  const graph = newGraph()
  const variables = [...network.parameters, ...network.buffers]
  const values = new Map(
    variables.map(({ name, shape }, i) => [name, addInput(graph, `variable ${i}`, 'float32', shape)] as const),
  )
  build(opsFor(graph), addInput(graph, 'x', 'float32', [BATCH, ...network.inputShape]), values)
  return graph
}

/** How far a gradient moves, relative to its norm, when each pixel does by some millionths: the most of four times. A rectifier may
 *  stand so near its kink that rounding decides, and a gradient then jumps, here as in PyTorch. */
async function movement(
  step: Session,
  feeds: Record<string, Tensor>,
  gradient: Tensor,
  index: number,
): Promise<number> {
  const before = gradient.data as Float32Array
  const norm = Math.hypot(Math.sqrt(before.reduce((sum, entry) => sum + entry ** 2, 0)), SMALLEST)
  let most = 0
  for (const seed of [41, 42, 43, 44]) {
    const pixels = feeds.x!.data as Float32Array
    const steps = uniforms(seed, pixels.length, -3e-6, 3e-6)
    const x = floats(
      feeds.x!.shape,
      pixels.map((pixel, i) => pixel + steps[i]!),
    )
    const after = (await step.run({ ...feeds, x }))[`gradient ${index}`]!.data as Float32Array
    most = Math.max(most, Math.sqrt(before.reduce((sum, entry, i) => sum + (after[i]! - entry) ** 2, 0)) / norm)
  }
  return most
}

async function trial(folder: string, name: string, way: string): Promise<Trial> {
  const reference: Reference = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
  const known = reference.ways[way]!
  if ('error' in known) return { state: 'refused', message: `PyTorch could not export it: ${known.error}` }
  const { classes, side } = reference
  const start = performance.now()
  let network: ReturnType<typeof networkOfModel>
  try {
    network = networkOfModel(readFileSync(join(folder, `${name}.${way}.onnx`)), {
      external: (location) => readFileSync(join(folder, location)),
    })
  } catch (error) {
    const { name, message } = error as Error
    return { state: name === 'Error' || name === 'ModelError' ? 'refused' : 'failed', message }
  }
  const read = performance.now()
  let updates = 0
  const graph = over(network, (ops, x, values) => {
    const targets = addInput(ops.graph, 'targets', 'int64', [BATCH])
    const { logits, updates: moved } = network.forward(ops, x, values, true)
    updates = moved.size
    const wrt = network.parameters.map(({ name }) => values.get(name)!)
    const gradients = differentiate(ops.graph, crossEntropy(ops, logits, targets), wrt)
    for (const [i, gradient] of gradients.entries()) addOutput(ops.graph, `gradient ${i}`, gradient)
  })
  const built = performance.now()
  const step = await openSession(graph)
  const compiled = performance.now()
  const answering = await openSession(
    over(
      network,
      (ops, x, values) => void addOutput(ops.graph, 'logits', network.forward(ops, x, values, false).logits),
    ),
  )

  // Without batch norm in the model, one reference serves.
  const statistics: Statistics = updates > 0 ? 'batch' : 'running'
  const other = statistics === 'batch' ? 'running' : 'batch'
  const indifferent = reference.losses.batch === reference.losses.running
  const learned = (name: string) =>
    known.tensors[name]?.[statistics] ?? (indifferent ? known.tensors[name]?.[other] : undefined)
  const state = initialState(network, 0)
  const feeds: Record<string, Tensor> = {
    x: floats([BATCH, ...network.inputShape], uniforms(IMAGES, BATCH * 3 * side ** 2)),
    targets: int64s([BATCH], Array.from(uniforms(LABELS, BATCH, 0, classes), Math.floor)),
    ...Object.fromEntries(
      [...network.parameters, ...network.buffers].map(({ name }, i) => [`variable ${i}`, state.get(name)!]),
    ),
  }
  const logits = relative(numbersOf((await answering.run(feeds)).logits!), reference.logits)
  const found = await step.run(feeds)
  const indexOf = (name: string) => network.parameters.findIndex((parameter) => parameter.name === name)
  const errors = network.parameters.flatMap(({ name }, i) => {
    const expected = learned(name)
    if (!expected) return []
    const error = distance(SKETCH, found[`gradient ${i}`]!.data as Float32Array, { shape: [], ...expected })
    return [{ name, error: error / Math.max(expected.norm, SMALLEST) }]
  })
  const worst = errors.reduce((a, b) => (b.error > a.error || Number.isNaN(b.error) ? b : a), { name: '', error: 0 })
  const moved =
    worst.error < TOLERANCE
      ? 0
      : await movement(step, feeds, found[`gradient ${indexOf(worst.name)}`]!, indexOf(worst.name))
  const trained = new Set(network.parameters.map(({ name }) => name))
  const frozen = Object.keys(known.tensors).filter((name) => (learned(name)?.norm ?? 0) > 0 && !trained.has(name))
  const strange = [...trained].filter((name) => !learned(name))
  const allowed = Math.max(TOLERANCE, ROUNDING * reference.single[statistics], ROUNDING * moved)
  const faults = [
    ...(logits < TOLERANCE ? [] : [`logits are off by ${logits.toExponential(0)}`]),
    ...(worst.error < allowed ? [] : [`the gradient of ${worst.name} is off by ${worst.error.toExponential(0)}`]),
    ...(frozen.length > 0 ? [`${some(frozen)} train in PyTorch and not here`] : []),
    ...(strange.length > 0 ? [`${some(strange)} train here and not in PyTorch`] : []),
  ]
  const second = (from: number, to: number) => Math.round(to - from) / 1000
  return {
    state: faults.length > 0 ? 'wrong' : 'trained',
    message: faults.join('; '),
    statistics,
    logits,
    gradient: worst.error,
    ...(worst.error >= TOLERANCE && { rounding: Math.max(reference.single[statistics], moved) }),
    decisions: network.model.decisions,
    seconds: { read: second(start, read), build: second(read, built), compile: second(built, compiled) },
  }
}

const [folder, name, way] = process.argv.slice(2) as [string, string, string]
try {
  say(await trial(folder, name, way))
} catch (error) {
  say({ state: 'failed', message: String((error as Error).message || error) })
}
