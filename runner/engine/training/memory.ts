/** What a trainer remembers: the weights, what optimizers and kept models hold, where random streams stand, and what every call
 *  came to. With a checkpoint it goes on as if it had never stopped: the caller asks for everything again, calls that were done are
 *  answered from there, and the state comes back where they end. */
import type { Checkpoint } from '../../store/checkpoint.ts'
import { randomStream, type Stream } from '../nn/random.ts'
import type { Tensor } from '../onnx/tensor.ts'
import { type HalfDone, loadHalfDone, type Middle, type Outcome, saveHalfDone, type Within } from './half-done.ts'
import type { Codec } from './outcomes.ts'

type Tensors = ReadonlyMap<string, Tensor>

interface KeptModel {
  values: Tensors
  /** Came from the method, which gives it again. */
  given: boolean
}

export interface Memory {
  state: Tensors
  /** Slots of each optimizer. */
  optimizers: Tensors[]
  kept: KeptModel[]
  /** A stream that goes on from call to call, by purpose. */
  stream(purpose: string): Stream
  /** Seconds of earlier attempts. */
  earlier: { mask: number; work: number }
  /** Does a call, or gives what it came to before. `middle` is where to go on inside it. */
  perform<T>(codec: Codec<T>, action: (middle: Middle | null, call: number) => Promise<T>): Promise<T>
  /** Keeps the middle of the call under way, if a checkpoint is due: `progress` in [0, 1], streams as they stood where it says,
   *  what it has made so far. */
  keepMiddle(
    middle: () => {
      within: Within
      progress: number
      streams?: Record<string, readonly number[]>
      partial?: Middle['partial']
    },
  ): Promise<void>
}

interface MemoryOptions {
  initial: Tensors
  seed: number
  purpose: string
  checkpoint: Checkpoint | undefined
  /** Seconds so far, earlier attempts included. */
  seconds(): { mask: number; work: number }
}

export function createMemory({ initial, seed, purpose, checkpoint, seconds }: MemoryOptions): Memory {
  const streams = new Map<string, Stream>()
  const outcomes: Outcome[] = []
  let calls = 0
  let loaded: Promise<HalfDone | null> | undefined
  const halfDone = () => {
    loaded ??= checkpoint ? loadHalfDone(checkpoint) : Promise.resolve(null)
    return loaded
  }

  function restore(half: HalfDone): void {
    memory.state = half.state
    half.optimizers.forEach((slots, i) => {
      memory.optimizers[i] = slots
    })
    half.kept.forEach((values, i) => {
      if (values === 'given' || !memory.kept[i]) return
      memory.kept[i].values = values === 'initial' ? initial : values
    })
    for (const [name, state] of Object.entries(half.streams)) memory.stream(name).restore(state)
    memory.earlier = half.seconds
  }

  async function save(
    call: number,
    within: Within | null,
    progress: number,
    over: Record<string, readonly number[]> = {},
    partial: Middle['partial'] = new Map(),
  ) {
    const now = Object.fromEntries([...streams].map(([name, stream]) => [name, [...stream.state()]]))
    const replaced = Object.fromEntries(Object.entries(over).map(([name, state]) => [name, [...state]]))
    const { mask, work } = seconds()
    await saveHalfDone(checkpoint!, {
      call,
      within,
      outcomes,
      partial,
      state: memory.state,
      optimizers: memory.optimizers,
      kept: memory.kept.map(({ values, given }) => (given ? 'given' : values === initial ? 'initial' : values)),
      streams: { ...now, ...replaced },
      seconds: { mask: Math.max(0, mask), work: Math.max(0, work) },
      position: call + progress,
    })
  }

  // One after another, in the order in which they were asked, so that a checkpoint can say which are done.
  let turn: Promise<unknown> = Promise.resolve()
  async function performed<T>(
    codec: Codec<T>,
    action: (middle: Middle | null, call: number) => Promise<T>,
  ): Promise<T> {
    const call = calls++
    const half = await halfDone()
    const known = half?.outcomes[call]
    if (half && known && call < half.call) {
      outcomes.push(known)
      if (call + 1 === half.call && !half.within) restore(half)
      return codec.from(known)
    }
    const middle = half?.call === call && half.within ? { ...half.within, partial: half.partial } : null
    if (half && middle) restore(half)
    const value = await action(middle, call)
    outcomes.push(codec.to(value))
    if (checkpoint?.due()) await save(calls, null, 0)
    return value
  }

  const memory: Memory = {
    state: initial,
    optimizers: [],
    kept: [],
    earlier: { mask: 0, work: 0 },
    stream(name) {
      const known = streams.get(name) ?? randomStream(seed, `${purpose}/${name}`)
      streams.set(name, known)
      return known
    },
    perform(codec, action) {
      const done = turn.then(() => performed(codec, action))
      turn = done.catch(() => {})
      return done
    },
    async keepMiddle(middle) {
      if (!checkpoint?.due()) return
      const { within, progress, streams, partial } = middle()
      await save(calls - 1, within, progress, streams, partial)
    },
  }
  return memory
}
