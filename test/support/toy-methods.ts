/** Every method of the folder on a toy of each task that it is on, with parameters that cost little. */
import { randomStream } from '../../runner/engine/nn/random.ts'
import type { StageTrainer } from '../../runner/engine/training/trainer.ts'
import type { ActsWith } from '../../runner/science/acting.ts'
import { methods } from '../../runner/science/catalogue/catalogue.ts'
import type { Context, TaskTypes, Trainer, Unlearning } from '../../runner/science/method.ts'
import { schemaOf } from '../../runner/science/parameters.ts'
import { type Cutting, uncut } from './cut.ts'
import { range, tinyNetwork, toySplit, toyTrainer } from './toy.ts'
import { TOY_CLASSES, tinyDenoiser, toyDenoiserTrainer, toyForget, toyLabels, toyRetain } from './toy-denoiser.ts'

type Params = Record<string, unknown>
type Asked = Omit<Context<TaskTypes, Params>, 'params' | 'random' | 'trainer'>
interface Toy {
  trainer: StageTrainer<TaskTypes>
  asked: Asked
}

const toys: Record<string, (options: Cutting & { seed: number }, requests: Unlearning['requests']) => Toy> = {
  classification(options, requests = ['random']) {
    const trainer = toyTrainer({ ...options, network: tinyNetwork, augment: true })
    const { labels } = toySplit(90)
    const forgotten = requests.includes('random') ? [] : [labels[0]!]
    const [forget, retain] =
      forgotten.length === 0
        ? [range(0, 7), range(20, 31)]
        : [
            range(0, 30).filter((i) => forgotten.includes(labels[i]!)),
            range(20, 33).filter((i) => !forgotten.includes(labels[i]!)),
          ]
    const verbs = { imageShape: tinyNetwork.inputShape }
    return {
      trainer: trainer as unknown as StageTrainer<TaskTypes>,
      asked: { verbs, forget, retain, forgotten, labels, classes: 10 },
    }
  },
  generation(options) {
    const { verbs, ...trainer } = toyDenoiserTrainer({ ...options, denoiser: tinyDenoiser })
    const [forget, retain] = [toyForget.subarray(0, 7), toyRetain.subarray(0, 11)]
    return {
      trainer: trainer as unknown as StageTrainer<TaskTypes>,
      asked: { verbs, forget, retain, forgotten: [0], labels: toyLabels, classes: TOY_CLASSES },
    }
  },
}

export interface MethodCase {
  id: string
  task: string
  unlearning: Unlearning
}

export const methodCases: MethodCase[] = [...methods].flatMap(([id, { on }]) =>
  Object.entries(on).map(([task, unlearning]) => ({ id, task, unlearning })),
)

export function toyOf(
  task: string,
  options: Partial<Cutting> & { seed?: number } = {},
  requests?: Unlearning['requests'],
): Toy {
  const toy = toys[task]
  if (!toy) throw new Error(`no toy for the task ${task}; give it one in test/support/toy-methods.ts`)
  return toy({ ...uncut(), seed: 0, ...options }, requests)
}

export interface Ran {
  /** Parameters and buffers by name. */
  weights: Map<string, Float32Array>
  losses: number[]
}

/** Runs a method from the toy's weights to its end. `watch` may stand between it and the trainer. */
export async function runMethod(
  { task, unlearning }: MethodCase,
  given: Params,
  {
    watch = (trainer) => trainer,
    ...options
  }: Parameters<typeof toyOf>[1] & { watch?(trainer: Trainer<TaskTypes>): Trainer<TaskTypes> } = {},
): Promise<Ran> {
  const { trainer, asked } = toyOf(task, options, unlearning.requests)
  try {
    const random = randomStream(options.seed ?? 0, 'labels')
    await unlearning.run({
      ...asked,
      params: unlearning.params.parse({ ...cheap(unlearning, given), ...given }),
      trainer: watch(trainer),
      random,
    })
    const weights = new Map([...trainer.state()].map(([name, { data }]) => [name, data as Float32Array]))
    return { weights, losses: trainer.losses() }
  } finally {
    await trainer.release()
  }
}

interface Property {
  type?: string | string[]
  enum?: unknown[]
  default?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  anyOf?: Property[]
  actsWith?: ActsWith
}

const propertiesOf = ({ params }: Pick<Unlearning, 'params'>) =>
  Object.entries((schemaOf(params).properties ?? {}) as Record<string, Property>)

/** Whether a parameter does something beside these values. */
const acts = ({ params }: Pick<Unlearning, 'params'>, { actsWith = {} }: Property, given: Params): boolean => {
  const values = { ...params.parse({}), ...given }
  return Object.entries(actsWith).every(([other, wanted]) => wanted.includes(values[other] as string))
}

/** What costs time by its count: steps, batches, samples. */
const cheap = (unlearning: MethodCase['unlearning'], given: Params): Params =>
  Object.fromEntries(
    propertiesOf(unlearning).flatMap(([name, property]) => {
      const { type, default: usual, minimum = 1 } = property
      const counts = type === 'integer' && Number(usual) > 3 && acts(unlearning, property, given)
      return counts ? [[name, Math.max(3, minimum)]] : []
    }),
  )

/** Every other value of a parameter that has a few, where it acts; and all numbers at once as far down as they go, where branches
 *  end. */
export function variantsOf({ id, unlearning }: MethodCase): { change: Params; before: Params }[] {
  const properties = propertiesOf(unlearning).filter(([, property]) => acts(unlearning, property, {}))
  const choices = properties.flatMap(([name, { enum: values = [], type, default: usual }]) =>
    [...values, ...(type === 'boolean' ? [true, false] : [])]
      .filter((value) => value !== usual)
      .map((value) => {
        const before = beside[`${id}.${name}`] ?? {}
        return { before, change: { ...before, [name]: value } }
      }),
  )
  const ends = properties.flatMap(([name, { type, default: usual, minimum, maximum = 1 }]) => {
    if (type === 'integer' && minimum === 0) return [[name, usual === 0 ? 1 : 0] as const]
    if (type === 'number' && minimum === 0) return [[name, usual === 0 ? Math.min(0.5, maximum) : 0] as const]
    return []
  })
  return [...choices, ...(ends.length > 0 ? [{ before: {}, change: Object.fromEntries(ends) }] : [])]
}

/** What a parameter needs beside it to act on a toy, or to be taken. */
const beside: Record<string, Params> = {
  'boundary-shrink.nearest': { bound: 0 },
  'erasediff.steps': { rounds: 1 },
  'scrub.decay': { epochs: 4 },
}

/** Each number that acts where nothing else is given, by itself at another value, and what it is set beside. */
export function numbersOf({ id, unlearning }: MethodCase): { change: Params; before: Params }[] {
  const properties = propertiesOf(unlearning).filter(([, property]) => acts(unlearning, property, {}))
  return properties.flatMap(([name, { type, anyOf = [], default: usual }]) => {
    const types = [type, ...anyOf.map(({ type }) => type)]
    const before = beside[`${id}.${name}`] ?? {}
    const moved = (value: number) => [{ before, change: { ...before, [name]: value } }]
    // What is larger than 3 is 3 on the toy.
    if (types.includes('integer')) return moved(Number(usual) >= 3 ? 2 : Number(usual) + 1)
    return types.includes('number') ? moved(usual === null || usual === 0 ? 0.5 : Number(usual) / 1000) : []
  })
}
