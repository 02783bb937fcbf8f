/** Weights as an artifact: parameters and buffers by name, in safetensors, so that any framework can read them. */
import type { ArtifactRef } from '../../schema/result.ts'
import type { Variables } from '../nn/variables.ts'
import { floats, type Tensor } from '../onnx/tensor.ts'
import { readSafetensors, type Tensor as StoredTensor, writeSafetensors } from '../store/safetensors.ts'
import type { Store } from '../store/store.ts'

export const WEIGHTS = 'weights.safetensors'
/** The moving average of the weights over a training, where one was kept. */
export const AVERAGE = 'average.safetensors'

export function saveWeights(
  store: Store,
  network: Variables,
  state: ReadonlyMap<string, Tensor>,
): Promise<ArtifactRef> {
  const tensors = [...network.parameters, ...network.buffers].map(({ name, shape }): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [...shape], data: state.get(name)!.data as Float32Array<ArrayBuffer> },
  ])
  return store.put(writeSafetensors(new Map(tensors), { format: 'palimpsest' }))
}

/** Throws when the artifact is missing, or when a tensor of the network is missing in it or has another shape. */
export async function loadWeights(
  store: Store,
  network: Variables,
  artifacts: Record<string, ArtifactRef>,
  file = WEIGHTS,
): Promise<Map<string, Tensor>> {
  const ref = artifacts[file]
  if (!ref)
    throw new Error(`the input stage has no ${file}; it has ${Object.keys(artifacts).join(', ') || 'no artifacts'}`)
  const { tensors } = readSafetensors(await store.get(ref.sha256))
  return new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => {
      const found = tensors.get(name)
      if (found?.dtype !== 'F32' || found.shape.join() !== shape.join()) {
        throw new Error(
          `${file}: expected ${name} as F32 [${shape}], got ${found ? `${found.dtype} [${found.shape}]` : 'nothing'}`,
        )
      }
      return [name, floats(shape, found.data)]
    }),
  )
}
