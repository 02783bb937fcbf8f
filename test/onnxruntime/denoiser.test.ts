/** The conditional U-Net and its sampler against PyTorch (test/golden/diffusion/make.py). */
import { describe, expect, test } from 'vitest'
import { differentiate } from '../../runner/engine/autodiff/differentiate.ts'
import { denoiserNetworkOf } from '../../runner/engine/nn/denoiser-network.ts'
import { ddpmUnet } from '../../runner/engine/nn/denoisers/ddpm-unet.ts'
import { parameterCount, valueFeeds } from '../../runner/engine/nn/variables.ts'
import { addInput, addOutput, newGraph } from '../../runner/engine/onnx/graph.ts'
import { opsFor } from '../../runner/engine/onnx/ops.ts'
import { openSession } from '../../runner/engine/onnx/session.ts'
import { floats, int64s, numbersOf, type Shape, sizeOf, type Tensor, tensor } from '../../runner/engine/onnx/tensor.ts'
import { squaredError } from '../../runner/engine/training/losses.ts'
import { diffuse, fromBytes } from '../../runner/tasks/generation/diffusion/loss.ts'
import { sampleProgram } from '../../runner/tasks/generation/diffusion/sample-program.ts'
import { alphaBarsOf } from '../../runner/tasks/generation/diffusion/schedule.ts'
import { stepsOf } from '../../runner/tasks/generation/diffusion/steps.ts'
import { diffusion as diffusionShape } from '../../schema/parts/diffusion.ts'
import { goldenJson } from '../runner/golden.ts'
import { sketch, uniforms } from './uniform.ts'

interface Reference {
  small: { image: [number, number]; classes: number; channels: number; [option: string]: unknown }
  cifar10Parameters: number
  t: number[]
  labels: number[]
  output: number[]
  losses: { sum: number; mean: number }
  gradients: Record<string, { shape: number[]; norm: number; sketch: number[] }>
  ddim: Record<'eta0' | 'eta1', number[][]>
  alphaBars: { linear: number[] }
}
const reference = goldenJson('diffusion/reference.json') as Reference
/** Streams of the shared generator; parameters come in the order of their names. */
const [IMAGES, NOISE, START, STEP_NOISE, FIRST_TENSOR] = [301, 302, 303, 304, 320]

const unet = (inputShape: Shape, classes: number, params: Record<string, unknown>) => {
  const known = ddpmUnet.params.parse(params)
  return denoiserNetworkOf(inputShape, classes, (scope, inputs) => ddpmUnet.build(scope, inputs, { classes }, known))
}
const { image, classes, ...options } = reference.small
const [depth, size] = image
const denoiser = unet([depth, size, size], classes, { ...options, dropout: 0.1 })
const diffusion = diffusionShape.parse({})
const N = reference.t.length
const shape = [N, depth, size, size]
const streams = new Map(Object.keys(reference.gradients).map((name, index) => [name, FIRST_TENSOR + index]))

function initial(name: string, shape: Shape): Tensor {
  const within = (low: number, high: number) => floats(shape, uniforms(streams.get(name)!, sizeOf(shape), low, high))
  if (name.includes('norm')) return name.endsWith('weight') ? within(0.5, 1.5) : within(-0.3, 0.3)
  if (name === 'class.table' || name === 'class.null') return within(-1, 1)
  const bound = Math.sqrt(3 / (shape.length > 1 ? sizeOf(shape.slice(1)) : shape[0]!))
  return within(-bound, bound)
}
const state = Object.fromEntries(denoiser.parameters.map(({ name, shape }) => [name, initial(name, shape)]))

const relativeError = (got: readonly number[], expected: readonly number[]) =>
  Math.hypot(...got.map((value, i) => value - expected[i]!)) / Math.hypot(...expected)

test('the network has the parameters of the reference', () => {
  expect(denoiser.parameters.map(({ name }) => name).sort()).toEqual(Object.keys(reference.gradients))
  for (const { name, shape } of denoiser.parameters) expect(shape, name).toEqual(reference.gradients[name]!.shape)
})

test('the CIFAR-10 configuration has 38,632,323 parameters, as in PyTorch', () => {
  expect(reference.cifar10Parameters).toBe(38_632_323)
  expect(parameterCount(unet([3, 32, 32], 10, {}))).toBe(38_632_323)
})

test('linear schedule: products of 1 - beta agree with PyTorch', () => {
  const bars = alphaBarsOf(diffusion)
  for (const [i, t] of [0, 1, 499, 998, 999].entries())
    expect(bars[t]! / reference.alphaBars.linear[i]!).toBeCloseTo(1, 6)
})

test('output, losses by sum and by mean, and all gradients agree with PyTorch', async () => {
  const graph = newGraph()
  const ops = opsFor(graph)
  const values = new Map(denoiser.parameters.map(({ name, shape }) => [name, addInput(graph, name, 'float32', shape)]))
  const bytes = addInput(graph, 'images', 'uint8', shape)
  const noise = addInput(graph, 'noise', 'float32', shape)
  const t = addInput(graph, 't', 'int64', [N])
  const labels = addInput(graph, 'labels', 'int64', [N])
  const x = diffuse(ops, alphaBarsOf(diffusion), fromBytes(ops, bytes), noise, t)
  const output = denoiser.forward(ops, { x, t, labels }, values)
  const loss = squaredError(ops, noise, output, 'sum')
  const wrt = denoiser.parameters.map(({ name }) => values.get(name)!)
  differentiate(graph, loss, wrt).forEach((gradient, i) => {
    addOutput(graph, `gradient/${denoiser.parameters[i]!.name}`, gradient)
  })
  addOutput(graph, 'output', output)
  addOutput(graph, 'sum', loss)
  addOutput(graph, 'mean', squaredError(ops, noise, output, 'mean'))
  const session = await openSession(graph, { threads: 1 })
  const outputs = await session.run({
    ...state,
    images: tensor('uint8', shape, Uint8Array.from(uniforms(IMAGES, sizeOf(shape), 0, 256))),
    noise: floats(shape, uniforms(NOISE, sizeOf(shape), -1.7, 1.7)),
    t: int64s([N], reference.t),
    labels: int64s([N], reference.labels),
  })
  await session.release()
  expect(relativeError(numbersOf(outputs.output!), reference.output)).toBeLessThan(1e-5)
  expect(relativeError(numbersOf(outputs.sum!), [reference.losses.sum])).toBeLessThan(1e-5)
  expect(relativeError(numbersOf(outputs.mean!), [reference.losses.mean])).toBeLessThan(1e-5)
  for (const [name, { norm: own, sketch: expected }] of Object.entries(reference.gradients)) {
    // Softmax takes no notice of a key's bias, whose gradient is 0 but for rounding: it is held against that of the weight.
    const norm = name.endsWith('key.bias') ? reference.gradients[name.replace('bias', 'weight')]!.norm : own
    const got = sketch(streams.get(name)!, outputs[`gradient/${name}`]!.data as Float32Array)
    const squares = got.map((projection, k) => (projection - expected[k]!) ** 2)
    // A true error above 1e-4 passes an estimate of half that with probability below 1e-6.
    expect(Math.sqrt(squares.reduce((sum, square) => sum + square) / squares.length) / norm, name).toBeLessThan(5e-5)
  }
})

describe.each([0, 1] as const)('DDIM with eta %i', (eta) => {
  test('agrees with PyTorch after every step, guided, on fixed noise', async () => {
    const expected = reference.ddim[`eta${eta}`]
    const steps = stepsOf(diffusion, { kind: 'ddim', steps: expected.length, eta })
    const graph = sampleProgram(denoiser, { batch: N, guidance: 2, clip: false, noise: 'fed' })
    const session = await openSession(graph, { threads: 1 })
    const fresh = uniforms(STEP_NOISE, expected.length * sizeOf(shape), -1.7, 1.7)
    let x = floats(shape, uniforms(START, sizeOf(shape), -1.7, 1.7))
    for (const [i, { t, coefficients }] of steps.entries()) {
      const outputs = await session.run({
        ...valueFeeds(Object.entries(state)),
        x,
        labels: int64s([N], [0, 1, 2, 0]),
        steps: tensor('int64', [], BigInt64Array.of(1n)),
        t: int64s([1], [t]),
        coefficients: floats([1, 5], coefficients),
        noise: floats([1, ...shape], fresh.subarray(i * sizeOf(shape), (i + 1) * sizeOf(shape))),
      })
      x = outputs['next/x']!
      expect(relativeError(numbersOf(x), expected[i]!), `step ${i}`).toBeLessThan(1e-4)
    }
    await session.release()
  })
})
