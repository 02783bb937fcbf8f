/** What a trainer needs to go on where it stopped, as the content of a checkpoint: what every call before came to, and the state in
 *  the middle of the call that was under way, if one was. */
import { z } from 'zod'
import type { Tensor as StoredTensor } from '../../formats/safetensors.ts'
import type { Checkpoint } from '../../store/checkpoint.ts'
import { floats, type Tensor } from '../onnx/tensor.ts'

/** What a call gave, as data. */
export interface Outcome {
  value: unknown
  tensors: ReadonlyMap<string, StoredTensor>
}

/** How far a call is. */
const within = z.strictObject({
  /** Steps, or images, that are done. */
  done: z.int().min(0),
  /** Sums of losses, one for each that will be reported; none of calls that don't train. */
  sums: z.array(z.number()),
})
export type Within = z.infer<typeof within>

/** The middle of a call, with what it has made so far. */
export interface Middle extends Within {
  partial: ReadonlyMap<string, StoredTensor>
}

const content = z.strictObject({
  /** Number of the call to go on with, counted from 0. */
  call: z.int().min(0),
  within: within.nullable(),
  /** Values of the calls before. */
  outcomes: z.array(z.unknown()),
  optimizers: z.int().min(0),
  /** What each kept model holds: tensors of its own, the weights the trainer began with, or what the method gave it. */
  kept: z.array(z.enum(['own', 'initial', 'given'])),
  /** Names of the tensors in their order, which a file doesn't keep: flat vectors over all weights follow it. */
  order: z.array(z.string()),
  streams: z.record(z.string(), z.array(z.number())),
  seconds: z.strictObject({ mask: z.number().min(0), work: z.number().min(0) }),
})

export interface HalfDone extends Omit<z.infer<typeof content>, 'outcomes' | 'optimizers' | 'kept' | 'order'> {
  outcomes: Outcome[]
  state: ReadonlyMap<string, Tensor>
  /** Slots of all optimizers that were made, in that order. */
  optimizers: ReadonlyMap<string, Tensor>[]
  kept: (ReadonlyMap<string, Tensor> | 'initial' | 'given')[]
  /** What the call under way has made so far. */
  partial: ReadonlyMap<string, StoredTensor>
}

/** How tensors are named: what they belong to, then their own name. */
const place = {
  state: 'state',
  partial: 'partial',
  optimizer: (number: number) => `optimizer.${number}`,
  kept: (number: number) => `kept.${number}`,
  outcome: (call: number) => `outcome.${call}`,
}

export async function saveHalfDone(checkpoint: Checkpoint, half: HalfDone & { position: number }): Promise<void> {
  const { state, optimizers, kept, outcomes, partial, position, ...rest } = half
  const tensors = new Map<string, StoredTensor>()
  const add = (group: string, values: ReadonlyMap<string, Tensor>) => {
    for (const [name, { shape, data }] of values)
      tensors.set(`${group}/${name}`, { dtype: 'F32', shape: [...shape], data: data as Float32Array })
  }
  add(place.state, state)
  for (const [i, slots] of optimizers.entries()) add(place.optimizer(i), slots)
  for (const [i, values] of kept.entries()) if (typeof values !== 'string') add(place.kept(i), values)
  for (const [name, tensor] of partial) tensors.set(`${place.partial}/${name}`, tensor)
  for (const [call, outcome] of outcomes.entries()) {
    for (const [name, tensor] of outcome.tensors) tensors.set(`${place.outcome(call)}/${name}`, tensor)
  }
  const written: z.infer<typeof content> = {
    ...rest,
    outcomes: outcomes.map(({ value }) => value ?? null),
    optimizers: optimizers.length,
    kept: kept.map((values) => (typeof values === 'string' ? values : 'own')),
    order: [...tensors.keys()],
  }
  await checkpoint.save({ tensors, metadata: { trainer: JSON.stringify(written) }, position })
}

/** Null where there is none that can be used. */
export async function loadHalfDone(checkpoint: Checkpoint): Promise<HalfDone | null> {
  const saved = await checkpoint.load()
  const parsed = content.safeParse(jsonOf(saved?.metadata.trainer))
  if (!saved || !parsed.success) return null
  const { optimizers, kept, outcomes, order, ...rest } = parsed.data
  if (!order.every((name) => saved.tensors.has(name))) return null
  const found = (group: string) =>
    order.flatMap((name): [string, StoredTensor][] =>
      name.startsWith(`${group}/`) ? [[name.slice(group.length + 1), saved.tensors.get(name)!]] : [],
    )
  const tensorsOf = (group: string) =>
    new Map(found(group).map(([name, { shape, data }]) => [name, floats(shape, data as Float32Array)]))
  return {
    ...rest,
    outcomes: outcomes.map((value, call) => ({ value, tensors: new Map(found(place.outcome(call))) })),
    state: tensorsOf(place.state),
    partial: new Map(found(place.partial)),
    optimizers: Array.from({ length: optimizers }, (_, i) => tensorsOf(place.optimizer(i))),
    kept: kept.map((holds, i) => (holds === 'own' ? tensorsOf(place.kept(i)) : holds)),
  }
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return null
  }
}
