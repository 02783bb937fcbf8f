/** One training step of a classifier on random images, to see that it trains before anything long is computed. */
import { differentiate } from '../autodiff/differentiate.ts'
import type { Network } from '../nn/network.ts'
import { randomStream } from '../nn/random.ts'
import { declareValues, valueFeeds } from '../nn/variables.ts'
import { addInput, addOutput, newGraph } from '../onnx/graph.ts'
import { opsFor } from '../onnx/ops.ts'
import { openSession, type Provider } from '../onnx/session.ts'
import { floats, int64s, numbersOf, sizeOf, type Tensor } from '../onnx/tensor.ts'
import { crossEntropy } from './losses.ts'

export interface TriedStep {
  images: number
  /** Cross-entropy of the batch, with random labels. */
  before: number
  after: number
  gradientNorm: number
  /** To compile the step, and to take it. */
  seconds: { compile: number; step: number }
  /** Parameters that it did not move, since their gradient is exactly zero. */
  unmoved: string[]
}

const IMAGES = 8
/** Of a step along the gradient, whatever its length: small enough to lower the loss of any network that trains. */
const STEP = 0.01

/** SGD from the weights that the network begins with. Throws, in a sentence, where loss or gradient is no number. */
export async function tryStep(
  network: Network,
  state: ReadonlyMap<string, Tensor>,
  { threads, provider, signal }: { threads: number; provider?: Provider; signal: AbortSignal },
): Promise<TriedStep> {
  const { parameters, inputShape, classes } = network
  const shape = [IMAGES, ...inputShape]
  const draws = randomStream(0, 'try-step')
  const x = floats(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => draws.uniform()),
  )
  const labels = int64s(
    [IMAGES],
    Array.from({ length: IMAGES }, () => draws.integer(classes)),
  )
  const started = performance.now()
  const session = await openSession(stepGraph(network, shape), { threads, provider })
  const compiled = performance.now()
  try {
    const run = (state: ReadonlyMap<string, Tensor>) => {
      signal.throwIfAborted()
      return session.run({ x, labels, ...valueFeeds(state) })
    }
    const outputs = await run(state)
    const gradients = parameters.map((_, k) => outputs[`gradient.${k}`]!.data as Float32Array)
    const gradientNorm = Math.sqrt(gradients.reduce((sum, gradient) => sum + squares(gradient), 0))
    const [before] = numbersOf(outputs.loss!) as [number]
    if (!Number.isFinite(before) || !Number.isFinite(gradientNorm))
      throw new Error(
        `one training step on random images came to a loss of ${before} and a gradient of norm ${gradientNorm}; look at the weights in the file`,
      )
    const length = gradientNorm > 0 ? STEP / gradientNorm : 0
    const moved = parameters.map(({ name, shape }, k): [string, Tensor] => {
      const numbers = state.get(name)!.data as Float32Array
      return [
        name,
        floats(
          shape,
          numbers.map((number, i) => number - length * gradients[k]![i]!),
        ),
      ]
    })
    const next = await run(new Map([...state, ...moved]))
    const [after] = numbersOf(next.loss!) as [number]
    const unmoved = parameters.filter((_, k) => gradients[k]!.every((number) => number === 0)).map(({ name }) => name)
    const seconds = { compile: (compiled - started) / 1000, step: (performance.now() - compiled) / 2000 }
    return { images: IMAGES, before, after, gradientNorm, seconds, unmoved }
  } finally {
    await session.release()
  }
}

/** Gradients by number, since names of tensors are the file's. */
function stepGraph({ parameters, buffers, forward }: Network, shape: number[]) {
  const graph = newGraph()
  const ops = opsFor(graph)
  const values = declareValues(graph, [...parameters, ...buffers])
  const x = addInput(graph, 'x', 'float32', shape)
  const labels = addInput(graph, 'labels', 'int64', [shape[0]!])
  const loss = crossEntropy(ops, forward(ops, x, values, true).logits, labels)
  const wrt = parameters.map(({ name }) => values.get(name)!)
  for (const [k, gradient] of differentiate(graph, loss, wrt).entries()) addOutput(graph, `gradient.${k}`, gradient)
  addOutput(graph, 'loss', loss)
  return graph
}

const squares = (numbers: Float32Array): number => numbers.reduce((sum, number) => sum + number * number, 0)
