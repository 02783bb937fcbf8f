/** What a network begins with. Apart from its variables, which are pure: a seed becomes a stream by Node's hash. */
import { type Tensor, tensor } from '../onnx/tensor.ts'
import { randomStream } from './random.ts'
import type { Variables } from './variables.ts'

/** Fresh parameters and buffers; each tensor draws from a stream of its own, named after the purpose. */
export function initialState({ parameters, buffers }: Variables, seed: number, purpose = 'init'): Map<string, Tensor> {
  return new Map(
    [...parameters, ...buffers].map(({ name, shape, init }) => [
      name,
      tensor('float32', shape, init(randomStream(seed, `${purpose}/${name}`), shape)),
    ]),
  )
}
