/** Holds a gradient rule against central differences of the forward graph. */
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { addInput, addOutput, type Graph, newGraph, type Value } from '../../runner/engine/onnx/graph.ts'
import { type Ops, opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession, type Session } from '../../runner/engine/onnx/session.ts'
import { arrays, numbersOf, type Shape, sizeOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'
import { uniforms } from './uniform.ts'

export interface Input {
  shape: Shape
  data: Float32Array
}

/** Adds nodes that compute differentiable outputs from the inputs, in whatever precision these have. */
export type Build = (ops: Ops, ...x: Value[]) => Value | Value[]

type Precision = 'float64' | 'float32'
/** Step of the difference: far from kinks in both precisions, and small against the error that each allows. */
const STEP = { float64: 1e-3, float32: 1e-2 }
const DIRECTIONS = 3

let streams = 0
const feedsOf = (inputs: Input[], type: Precision): Record<string, Tensor> =>
  Object.fromEntries(
    inputs.map(({ shape, data }, i) => [`x${i}`, tensor(type, shape, arrays[type].from(data as Iterable<number>))]),
  )

function forwardGraph(inputs: Input[], build: Build, type: Precision): { graph: Graph; x: Value[]; y: Value[] } {
  const graph = newGraph()
  const x = inputs.map(({ shape }, i) => addInput(graph, `x${i}`, type, shape))
  const y = [build(opsFor(graph), ...x)].flat()
  return { graph, x, y }
}

/** Many kernels of onnxruntime exist in single precision only. */
async function openForward(inputs: Input[], build: Build): Promise<{ session: Session; type: Precision }> {
  const opened = async (type: Precision) => {
    const { graph, y } = forwardGraph(inputs, build, type)
    y.forEach((value, i) => {
      addOutput(graph, `y${i}`, value)
    })
    return { session: await openSession(graph, { threads: 1 }), type }
  }
  return opened('float64').catch(() => opened('float32'))
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** For each input, the relative error of its gradient: directional derivatives of a random linear functional of all outputs along
 *  random signs, against the five-point central difference in double precision where onnxruntime has the kernels. The
 *  differences are taken of `forward`, which is `build` but where gradients are stopped. */
export async function gradientErrors(
  inputs: Input[],
  build: Build,
  forward: Build = build,
): Promise<{ type: Precision; errors: number[] }> {
  const { graph, x, y } = forwardGraph(inputs, build, 'float32')
  const weights = y.map(({ shape }) => uniforms(++streams, sizeOf(shape), -1, 1))
  const ops = opsFor(graph)
  const loss = y
    .map((value, i) =>
      ops.ReduceSum(
        ops.Mul(
          ops.Cast(ops.Reshape(value, [sizeOf(value.shape)]), 'float32'),
          ops.constant(tensor('float32', [sizeOf(value.shape)], weights[i]!)),
        ),
        [0],
        0,
      ),
    )
    .reduce((sum, term) => ops.Add(sum, term))
  differentiate(graph, loss, x).forEach((gradient, i) => {
    if (gradient.shape.join() !== inputs[i]!.shape.join())
      throw new Error(`gradient of input ${i} has shape [${gradient.shape}], expected [${inputs[i]!.shape}]`)
    addOutput(graph, `d${i}`, gradient)
  })
  const backward = await openSession(graph, { threads: 1 })
  const gradients = await backward.run(feedsOf(inputs, 'float32'))
  await backward.release()

  const { session, type } = await openForward(inputs, forward)
  const valueAt = async (feeds: Record<string, Tensor>) => {
    const outputs = await session.run(feeds)
    return weights.reduce((sum, weight, i) => sum + dot(numbersOf(outputs[`y${i}`]!), weight), 0)
  }
  const errors: number[] = []
  for (const [i, { shape, data }] of inputs.entries()) {
    let difference = 0
    let total = 0
    for (let k = 0; k < DIRECTIONS; k++) {
      const direction = uniforms(++streams, data.length, -1, 1).map((u) => (u < 0 ? -1 : 1))
      const along = (steps: number) => {
        const moved = arrays[type].from(Array.from(data, (entry, at) => entry + steps * STEP[type] * direction[at]!))
        return valueAt({ ...feedsOf(inputs, type), [`x${i}`]: tensor(type, shape, moved) })
      }
      const near = (await along(1)) - (await along(-1))
      const far = (await along(2)) - (await along(-2))
      const expected = (8 * near - far) / (12 * STEP[type])
      difference += (dot(numbersOf(gradients[`d${i}`]!), direction) - expected) ** 2
      total += expected ** 2
    }
    errors.push(difference === 0 ? 0 : Math.sqrt(difference / total))
  }
  await session.release()
  return { type, errors }
}
