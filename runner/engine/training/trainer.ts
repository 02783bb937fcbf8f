/** The trainer that methods are handed, for every task: the weights of a model, and verbs that move them or ask about them. What is
 *  trained and what a loss may look at is the objective's business. */
import type { Progress } from '../../../schema/result.ts'
import type { Mask } from '../../science/mask.ts'
import type { TaskTypes, Trainer } from '../../science/method.ts'
import type { Parameter } from '../../science/weights.ts'
import type { Checkpoint } from '../../store/checkpoint.ts'
import { createExecutor, type Executor } from '../nn/executor.ts'
import type { Provider } from '../onnx/session.ts'
import { sizeOf, type Tensor } from '../onnx/tensor.ts'
import { askingOf } from './asking.ts'
import { keepingOf } from './keeping.ts'
import { createMemory, type Memory } from './memory.ts'
import type { Objective } from './objective.ts'
import { type Optimizing, optimizingOf } from './optimizing.ts'
import { type Watch, type Watching, watchingOf } from './watching.ts'

export { DivergenceError } from './descent.ts'
export type { FitOptimizer } from './optimizing.ts'

export interface TrainerOptions<T extends TaskTypes> {
  objective: Objective<T>
  /** Parameters and buffers to begin with. */
  state: ReadonlyMap<string, Tensor>
  seed: number
  /** What the trainer is for: keeps the draws of training and unlearning apart. */
  purpose: string
  threads: number
  provider?: Provider | undefined
  /** Where onnxruntime writes a profile of every node. */
  profilePrefix?: string | undefined
  signal: AbortSignal
  onProgress(progress: Progress): void
  checkpoint?: Checkpoint | undefined
  /** Looks at the weights after each run of an optimizer. */
  watch?: Watch | undefined
}

export interface StageTrainer<T extends TaskTypes>
  extends Trainer<T>,
    Pick<Optimizing<T>, 'fit' | 'losses' | 'masks'>,
    Pick<Watching, 'look' | 'looks'> {
  /** Parameters and buffers as they are now. */
  state(): ReadonlyMap<string, Tensor>
  /** For further verbs of a task: they are answered from a checkpoint like all others. */
  memory: Memory
  executor: Executor
  /** Seconds spent on masks, on compiling graphs and on everything else so far, earlier attempts included but for compiling. Looks are
   *  in none of them. */
  seconds(): { mask: number; compile: number; work: number }
  release(): Promise<void>
}

export function createTrainer<T extends TaskTypes>(options: TrainerOptions<T>): StageTrainer<T> {
  const { objective, seed, purpose, onProgress, checkpoint } = options
  const executor = createExecutor(options)
  const began = performance.now()
  const parameters: Parameter[] = objective.parameters.map(({ name, shape }) => ({ name, shape, size: sizeOf(shape) }))
  const seconds = () => {
    const compile = executor.compileSeconds()
    const mask = asking.maskSeconds()
    const work = (performance.now() - began) / 1000 - compile - mask - watching.seconds()
    return { mask: memory.earlier.mask + mask, compile, work: memory.earlier.work + work }
  }
  const memory = createMemory({ initial: options.state, seed, purpose, checkpoint, seconds })
  const watching = watchingOf(memory, options.watch)
  const { look, looks } = watching
  const context = { objective, executor, memory, seed, purpose, onProgress }
  const asking = askingOf(context, parameters)
  const optimizing = optimizingOf({ ...context, look })
  const made: Mask[] = []
  return {
    parameters,
    ...optimizing,
    ...asking,
    async mask(options) {
      const mask = await asking.mask(options)
      made.push(mask)
      return mask
    },
    masks: () => [...new Set([...made, ...optimizing.masks()])],
    ...keepingOf(context, parameters),
    ...{ look, looks },
    memory,
    executor,
    state: () => memory.state,
    seconds,
    release: executor.release,
  }
}
