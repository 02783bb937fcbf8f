/** What a trainer needs to go on in the middle of a pass, as the content of a checkpoint. */
import type { Mask } from '../../science/mask.ts'
import type { Checkpoint } from '../../store/checkpoint.ts'
import type { Tensor as StoredTensor } from '../../store/safetensors.ts'
import { floats, type Tensor } from '../onnx/tensor.ts'

export interface OptimizerState {
  /** Momentum and the like, by the name of the feed. */
  slots: Map<string, Tensor>
  /** Weights that changes are measured from. */
  anchors: Map<string, Tensor>
}

export interface HalfDone {
  /** Number of the pass that is under way, counted from 0, and how much of it is done: images and the sum of their losses. */
  call: number
  seen: number
  sum: number
  /** Mean losses of the passes before. */
  losses: number[]
  state: Map<string, Tensor>
  /** Of all optimizers and masks that were asked for, in that order. */
  optimizers: OptimizerState[]
  masks: Mask[]
  /** Where the random streams stand: `order` at the beginning of the pass, the others now. */
  streams: Record<'order' | 'draws' | 'mask', readonly number[]>
  seconds: { mask: number; work: number }
}

/** How tensors are named: what they belong to, then their own name. */
const place = {
  state: 'state',
  slots: (optimizer: number) => `slots.${optimizer}`,
  anchors: (optimizer: number) => `anchors.${optimizer}`,
  mask: (mask: number) => `mask.${mask}`,
}

export async function saveHalfDone(checkpoint: Checkpoint, half: HalfDone & { position: number }): Promise<void> {
  const { state, optimizers, masks, position, ...rest } = half
  const tensors = new Map<string, StoredTensor>()
  const add = (group: string, values: ReadonlyMap<string, Tensor>) => {
    for (const [name, { shape, data }] of values) {
      tensors.set(`${group}/${name}`, { dtype: 'F32', shape: [...shape], data: data as Float32Array })
    }
  }
  add(place.state, state)
  for (const [i, { slots, anchors }] of optimizers.entries()) {
    add(place.slots(i), slots)
    add(place.anchors(i), anchors)
  }
  for (const [i, mask] of masks.entries()) {
    for (const [name, data] of mask)
      tensors.set(`${place.mask(i)}/${name}`, { dtype: 'U8', shape: [data.length], data })
  }
  const counts = { optimizers: optimizers.length, masks: masks.length }
  await checkpoint.save({ tensors, metadata: { pass: JSON.stringify({ ...rest, ...counts }) }, position })
}

export async function loadHalfDone(checkpoint: Checkpoint): Promise<HalfDone | null> {
  const content = await checkpoint.load()
  if (!content?.metadata.pass) return null
  const { optimizers, masks, ...rest } = JSON.parse(content.metadata.pass) as Omit<HalfDone, 'optimizers' | 'masks'> & {
    optimizers: number
    masks: number
  }
  const found = (group: string) =>
    [...content.tensors].flatMap(([name, tensor]): [string, StoredTensor][] =>
      name.startsWith(`${group}/`) ? [[name.slice(group.length + 1), tensor]] : [],
    )
  const tensorsOf = (group: string) =>
    new Map(found(group).map(([name, { shape, data }]) => [name, floats(shape, data as Float32Array)]))
  return {
    ...rest,
    state: tensorsOf(place.state),
    optimizers: Array.from({ length: optimizers }, (_, i) => ({
      slots: tensorsOf(place.slots(i)),
      anchors: tensorsOf(place.anchors(i)),
    })),
    masks: Array.from(
      { length: masks },
      (_, i): Mask => new Map(found(place.mask(i)).map(([name, { data }]) => [name, data as Uint8Array])),
    ),
  }
}
