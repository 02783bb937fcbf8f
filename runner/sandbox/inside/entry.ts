/** What runs first in the sandbox: offers a method's file the words that it may use, describes the method, and runs it. */

import { maskByScore, randomMask } from '../../science/mask.ts'
import { flatten, unflatten } from '../../science/weights.ts'
import { type Answer, answerOf, type Border, borderOf, type Host, valueIn } from './border.ts'
import { randomOf, trainerOf } from './trainer.ts'

interface Unlearning {
  params?: unknown
  search?: unknown
  requests?: unknown
  run(context: object): Promise<void> | void
}
interface Method {
  title?: unknown
  summary?: unknown
  paper?: unknown
  on?: Record<string, Unlearning>
}

/** The model, the request or the data is not for this method. */
class UnfitError extends Error {
  override name = 'UnfitError'
}

const inside = globalThis as unknown as Record<string, unknown>
const { enter } = inside as { enter: Host }
delete inside.enter
const border: Border = borderOf(enter)
let method: Method | undefined

const refuse = (what: string, instead: string) => () => {
  throw new TypeError(`${what} is not there; ${instead}`)
}

const noClock = refuse('Date', 'a method has no clock, since it must come to the same weights again')

const cross = ({ batchSize, items, labels }: { batchSize: number; items: Int32Array; labels?: ArrayLike<number> }) => ({
  on: { items, batchSize, ...(labels && { labels }) },
  loss: ({ logits, labels, crossEntropy }: Record<string, unknown>) =>
    (crossEntropy as (a: unknown, b: unknown) => unknown)(logits, labels),
})

/** Puts the words there; `shared` has parameters that many methods take, by name. */
export function provide(...shared: Answer): Answer {
  return answering(() => {
    Object.assign(inside, {
      ...(valueIn(shared) as object),
      ...{ UnfitError, flatten, unflatten, maskByScore, randomMask },
      defineMethod: (definition: Method) => definition,
      onClassification: (unlearning: Unlearning) => unlearning,
      fitLabels: (items: Int32Array, rest: { batchSize: number; labels?: ArrayLike<number> }) =>
        cross({ items, ...rest }),
      console: { log: (...words: unknown[]) => void border.ask('log', { line: words.map(String).join(' ') }) },
      Date: Object.assign(noClock, { now: noClock }),
    })
    Math.random = refuse('Math.random', 'draw from `random`, which follows the seed')
  })
}

/** What else is there, by name alone. */
const named = (more: object) => Object.fromEntries(Object.keys(more).map((name) => [name, true]))

/** What the method says of itself; `found` is what its file exports. */
export function describe(found: Method): Answer {
  return answering(() => {
    method = found
    if (typeof found !== 'object' || found === null) return null
    const { title, summary, paper, on, ...more } = found
    const tasks = Object.entries(on ?? {}).map(([task, { params, search, requests, run, ...more }]) => [
      task,
      { ...named(more), params, search, requests, runs: typeof run === 'function' },
    ])
    return { ...named(more), title, summary, paper, on: Object.fromEntries(tasks) }
  })
}

/** Begins to run it; the host hears of the end by the verbs `done` and `failed`. */
export function begin(task: string, ...given: Answer): Answer {
  return answering(() => {
    const { parameters, ...context } = valueIn(given) as { parameters: Parameters<typeof trainerOf>[1] }
    const whole = { ...context, trainer: trainerOf(border, parameters), random: randomOf(border) }
    start(method!.on![task]!, whole)
  })
}

async function start(unlearning: Unlearning, context: object): Promise<void> {
  try {
    await unlearning.run(context)
    border.ask('done', {})
  } catch (error) {
    border.ask('failed', described(error))
  }
}

export const { settle } = border

export const invoke = (...given: Parameters<Border['invoke']>): Answer => answering(() => border.invoke(...given))

function answering(value: () => unknown): Answer {
  try {
    return answerOf({ value: value() })
  } catch (error) {
    return answerOf({ thrown: described(error) })
  }
}

/** Whatever was thrown, as words. */
export function described(error: unknown): { name: string; message: string; stack: string } {
  const word = (value: unknown) => (typeof value === 'string' ? value.slice(0, 4000) : '')
  try {
    const { name, message, stack } = Object(error) as Record<string, unknown>
    const isError = typeof message === 'string' && typeof error === 'object'
    return { name: word(name), message: isError ? word(message) : `${String(error)} was thrown`, stack: word(stack) }
  } catch {
    return { name: '', message: 'something was thrown that has no words', stack: '' }
  }
}
