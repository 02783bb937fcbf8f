/** Weights as an artifact: parameters and buffers by name, in safetensors, so that any framework can read them. */
import type { ArtifactRef } from '../../schema/result.ts'
import type { Variables } from '../engine/nn/variables.ts'
import type { Shape } from '../engine/onnx/tensor.ts'
import { floats, type Tensor } from '../engine/onnx/tensor.ts'
import { readSafetensors, type Tensor as StoredTensor, writeSafetensors } from '../formats/safetensors.ts'
import { WEIGHTS } from '../science/weights.ts'
import type { Store } from '../store/store.ts'
import { InputError, readingInput } from './input-error.ts'

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

/** Throws InputError when the artifact is missing or damaged, and when a tensor of the network is missing in it or has another shape.
 *  `what` names the network. */
export async function loadWeights(
  store: Store,
  network: Variables & { classes: number },
  artifacts: Record<string, ArtifactRef>,
  { file = WEIGHTS, what = 'the model' }: { file?: string; what?: string } = {},
): Promise<Map<string, Tensor>> {
  const ref = artifacts[file]
  if (!ref)
    throw new InputError(
      `the input stage has no ${file}; it has ${Object.keys(artifacts).join(', ') || 'no artifacts'}`,
    )
  const { tensors } = await readingInput(file, async () => readSafetensors(await store.get(ref.sha256)))
  return new Map(
    [...network.parameters, ...network.buffers].map(({ name, shape }) => {
      const found = tensors.get(name)
      if (found?.dtype !== 'F32' || found.shape.join() !== shape.join()) {
        const came = found ? `${found.dtype} [${found.shape}]` : 'nothing'
        const other = found && classesOf(found.shape, shape, network.classes)
        const why = other
          ? `${what} seems to be one of ${other} classes, but the dataset has ${network.classes}; train it on this dataset, or choose the one that it was trained on`
          : `${what} was trained with other parameters; use those that it was trained with`
        throw new InputError(`${file}: expected ${name} as F32 [${shape}], got ${came}: ${why}`)
      }
      return [name, floats(shape, found.data)]
    }),
  )
}

/** How many classes weights are for that differ from the expected shape in nothing but the number of classes; else null. */
function classesOf(found: Shape, expected: Shape, classes: number): number | null {
  const differing = [...expected.keys()].filter((axis) => found[axis] !== expected[axis])
  const [axis] = differing
  if (found.length !== expected.length || axis === undefined || differing.length > 1) return null
  return expected[axis] === classes ? found[axis]! : null
}
